/**
 * JSON text that comes in parts: its grammar (RFC 8259, strict), its UTF-8 (RFC 3629) and its depth are checked byte by byte,
 * and a handler hears where every name and value begins and ends. Nothing is kept of the text, however long it is.
 */
import type { JsonProblem } from "./json.ts";
import { JSON_DEPTH_MAX } from "./json.ts";

export type JsonStreamProblem = JsonProblem | { readonly reason: "invalid-utf8" };

/** `at` is an index into the part at hand; an end is the index after the last byte, and may be 0. */
export interface JsonHandler {
  readonly nameBegins: (at: number) => void;
  readonly nameEnds: (at: number) => void;
  readonly opens: (isObject: boolean, at: number) => void;
  readonly closes: (isObject: boolean, at: number) => void;
  /** A string, number or literal. */
  readonly scalarBegins: (at: number) => void;
  readonly scalarEnds: (at: number) => void;
}

export interface JsonStream {
  /** Reads the next part; false once the text is known to be wrong. */
  readonly update: (chunk: Uint8Array) => boolean;
  /** Once, after the last part: what is wrong with the text, if anything. */
  readonly finish: () => JsonStreamProblem | undefined;
}

// What must or may come next. Strings, numbers and literals go on over the end of a part.
const VALUE = 0;
const VALUE_OR_END = 1;
const NAME_OR_END = 2;
const NAME = 3;
const COLON = 4;
const COMMA_OR_END = 5;
const END = 6;
const STRING = 7;
const NUMBER = 8;
const LITERAL = 9;

/** Bytes of a string that stand for themselves: neither a quote, a backslash, a control character nor beyond ASCII. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c ? 1 : 0,
);

// Where a number stands: after its minus, its leading zero, a digit, the point, a decimal, the e, its sign, its digits.
const [MINUS, ZERO, INTEGER, POINT, FRACTION, E, E_SIGN, EXPONENT] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const NUMBER_ENDS: ReadonlySet<number> = new Set([ZERO, INTEGER, FRACTION, EXPONENT]);

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

export function createJsonStream(handler: JsonHandler, depthMax: number = JSON_DEPTH_MAX): JsonStream {
  let state = VALUE;
  let isName = false;
  /** Of the containers around, innermost last: whether it is an object. */
  const isObject: boolean[] = [];
  /** In a string: 1 after a backslash, 2 to 5 within the four digits of `\u`. */
  let escape = 0;
  // Of a character beyond ASCII: how many bytes are left of it, and between what the next one must be.
  let [bytesLeft, lowest, highest] = [0, 0x80, 0xbf];
  let numberAt: number = MINUS;
  let literal = "";
  let literalAt = 0;
  /** Bytes of all parts before this one. */
  let before = 0;
  let marked = 0;
  let problem: JsonStreamProblem | undefined;

  function fail(found: JsonStreamProblem): number {
    problem ??= found;
    return -1;
  }

  function unexpected(at: number): number {
    return fail({ reason: "invalid-json", detail: `unexpected character at byte ${before + at}` });
  }

  function valueEnded(): void {
    state = isObject.length === 0 ? END : COMMA_OR_END;
  }

  function open(object: boolean, at: number): number {
    if (isObject.length === depthMax) return fail({ reason: "json-too-deep", depthMax });
    handler.opens(object, at);
    isObject.push(object);
    state = object ? NAME_OR_END : VALUE_OR_END;
    return at + 1;
  }

  function close(object: boolean, at: number): number {
    if (isObject.at(-1) !== object) return unexpected(at);
    isObject.pop();
    handler.closes(object, at + 1);
    valueEnded();
    return at + 1;
  }

  function beginString(name: boolean, at: number): number {
    isName = name;
    if (name) handler.nameBegins(at);
    else handler.scalarBegins(at);
    state = STRING;
    return at + 1;
  }

  function beginValue(byte: number, at: number): number {
    if (byte === 0x22) return beginString(false, at);
    if (byte === 0x7b) return open(true, at);
    if (byte === 0x5b) return open(false, at);
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      handler.scalarBegins(at);
      state = NUMBER;
      numberAt = byte === 0x2d ? MINUS : byte === 0x30 ? ZERO : INTEGER;
      return at + 1;
    }
    literal = byte === 0x74 ? "true" : byte === 0x66 ? "false" : byte === 0x6e ? "null" : "";
    if (literal === "") return unexpected(at);
    handler.scalarBegins(at);
    state = LITERAL;
    literalAt = 1;
    return at + 1;
  }

  /** One byte outside strings, numbers and literals; answers where to go on, or -1. */
  function step(byte: number, at: number): number {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return at + 1;
    switch (state) {
      case VALUE:
        return beginValue(byte, at);
      case VALUE_OR_END:
        return byte === 0x5d ? close(false, at) : beginValue(byte, at);
      case NAME_OR_END:
        if (byte === 0x7d) return close(true, at);
        return byte === 0x22 ? beginString(true, at) : unexpected(at);
      case NAME:
        return byte === 0x22 ? beginString(true, at) : unexpected(at);
      case COLON:
        state = VALUE;
        return byte === 0x3a ? at + 1 : unexpected(at);
      case COMMA_OR_END:
        if (byte === 0x2c) {
          state = isObject.at(-1) === true ? NAME : VALUE;
          return at + 1;
        }
        return byte === 0x7d || byte === 0x5d ? close(byte === 0x7d, at) : unexpected(at);
      default:
        return unexpected(at);
    }
  }

  function readString(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (bytesLeft === 0 && escape === 0) {
        while (at < chunk.length && PLAIN[chunk[at] as number] === 1) at++;
        if (at === chunk.length) return at;
      }
      const byte = chunk[at] as number;
      if (bytesLeft > 0) {
        if (byte < lowest || byte > highest) return fail({ reason: "invalid-utf8" });
        [bytesLeft, lowest, highest] = [bytesLeft - 1, 0x80, 0xbf];
      } else if (escape > 0) {
        escape = afterEscape(byte);
        if (escape === -1) return unexpected(at);
      } else if (byte === 0x22) {
        if (isName) handler.nameEnds(at + 1);
        else handler.scalarEnds(at + 1);
        if (isName) state = COLON;
        else valueEnded();
        return at + 1;
      } else if (byte === 0x5c) escape = 1;
      else if (byte < 0x20) return unexpected(at);
      else if (!beginCharacter(byte)) return fail({ reason: "invalid-utf8" });
      at++;
    }
    return at;
  }

  function afterEscape(byte: number): number {
    if (escape > 1) {
      const isHex = (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
      return isHex ? (escape + 1) % 6 : -1;
    }
    if (byte === 0x75) return 2;
    return '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 0 : -1;
  }

  /** The first byte of a character beyond ASCII: RFC 3629, section 4. */
  function beginCharacter(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    bytesLeft = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    lowest = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    highest = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    return true;
  }

  function readNumber(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const next = afterDigit(chunk[at] as number);
      if (next === -1) {
        if (!NUMBER_ENDS.has(numberAt)) return unexpected(at);
        handler.scalarEnds(at);
        valueEnded();
        return at;
      }
      numberAt = next;
    }
    return chunk.length;
  }

  /** Where the number stands after this byte, or -1 when the byte is no more of it. */
  function afterDigit(byte: number): number {
    if (byte >= 0x30 && byte <= 0x39) {
      if (numberAt === INTEGER || numberAt === FRACTION || numberAt === EXPONENT) return numberAt;
      if (numberAt === MINUS) return byte === 0x30 ? ZERO : INTEGER;
      if (numberAt === ZERO) return -1;
      return numberAt === POINT ? FRACTION : EXPONENT;
    }
    if (byte === 0x2e) return numberAt === ZERO || numberAt === INTEGER ? POINT : -1;
    if (byte === 0x65 || byte === 0x45) return NUMBER_ENDS.has(numberAt) && numberAt !== EXPONENT ? E : -1;
    return (byte === 0x2b || byte === 0x2d) && numberAt === E ? E_SIGN : -1;
  }

  function readLiteral(chunk: Uint8Array, from: number): number {
    let at = from;
    for (; at < chunk.length && literalAt < literal.length; at++, literalAt++) {
      if (chunk[at] !== literal.charCodeAt(literalAt)) return unexpected(at);
    }
    if (literalAt < literal.length) return at;
    handler.scalarEnds(at);
    valueEnded();
    return at;
  }

  /** A leading byte order mark is not part of the text (WHATWG Encoding, "UTF-8 decode"). */
  function skipMark(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && marked < 3 && chunk[at] === BYTE_ORDER_MARK[marked])
      [at, marked] = [at + 1, marked + 1];
    if (at === chunk.length) return at;
    if (marked > 0 && marked < 3) return fail({ reason: "invalid-utf8" });
    marked = 3;
    return at;
  }

  return {
    update(chunk) {
      let at = problem !== undefined ? -1 : marked < 3 ? skipMark(chunk) : 0;
      while (at !== -1 && at < chunk.length) {
        if (state === STRING) at = readString(chunk, at);
        else if (state === NUMBER) at = readNumber(chunk, at);
        else if (state === LITERAL) at = readLiteral(chunk, at);
        else at = step(chunk[at] as number, at);
      }
      before += chunk.length;
      return problem === undefined;
    },

    finish() {
      if (problem !== undefined) return problem;
      if (bytesLeft > 0 || marked === 1 || marked === 2) return { reason: "invalid-utf8" };
      if (state === NUMBER && NUMBER_ENDS.has(numberAt)) {
        handler.scalarEnds(0);
        valueEnded();
      }
      return state === END ? undefined : { reason: "invalid-json", detail: "the text ends too early" };
    },
  };
}
