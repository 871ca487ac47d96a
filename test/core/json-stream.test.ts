import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeUtf8 } from "../../src/core/event.ts";
import type { JsonHandler } from "../../src/core/json-stream.ts";
import { createJsonStream } from "../../src/core/json-stream.ts";
import { JSON_DEPTH_MAX, parseJson } from "../../src/core/json.ts";

const DEAF: JsonHandler = {
  nameBegins: () => {},
  nameEnds: () => {},
  opens: () => {},
  closes: () => {},
  scalarBegins: () => {},
  scalarEnds: () => {},
};

function check(bytes: Uint8Array, partBytes = bytes.length): string {
  const stream = createJsonStream(DEAF);
  for (let at = 0; at < bytes.length; at += Math.max(1, partBytes)) stream.update(bytes.subarray(at, at + partBytes));
  return stream.finish()?.reason ?? "valid";
}

function parse(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === null) return "invalid-utf8";
  const parsed = parseJson(text);
  return parsed.ok ? "valid" : parsed.error.reason;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const TEXTS = [
  "",
  " ",
  "{}",
  "[]",
  " [ ] ",
  '{"a":1}',
  '{"a":1,}',
  "[1,]",
  "[,1]",
  "{,}",
  '{"a"}',
  '{"a":}',
  "{a:1}",
  "[1 2]",

  "1",
  "-1",
  "-",
  "01",
  "-0",
  "-01",
  "1.",
  ".1",
  "1.5",
  "1e",
  "1e5",
  "1E+5",
  "1e-",
  "1.e5",
  "0e0",
  "1e5.5",
  "--1",
  "+1",

  "true",
  "tru",
  "truee",
  "false",
  "null",
  "nul",
  "nulL",
  "True",
  "true false",
  "[true,false,null]",

  '"a"',
  '"',
  '"\\"',
  '"\\\\"',
  '"\\x"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\u12aF"',
  '"\\ud800"',
  '"a\nb"',
  '"\t"',
  '"\u007f"',

  '"é"',
  '"€"',
  '"😀"',
  "é",
  "[]]",
  "[}",
  "{]",
  '{"a":1]',
  "[1}",
  '{"a" "b"}',
  '{"a":1 "b":2}',
  "\uFEFF{}",
  " \uFEFF{}",

  "\u00a0{}",
  "\f{}",
  '{"a":[{"b":[1,2,{"c":null}]}]}',
  "NaN",
  "Infinity",
  "'a'",
  "// x\n{}",
  "[1]//",
  '{"a":1}{"b":2}',
];

const BYTES = [
  [0x22, 0x80, 0x22],
  [0x22, 0xc0, 0x80, 0x22],
  [0x22, 0xc1, 0xbf, 0x22],
  [0x22, 0xc2, 0x22],
  [0x22, 0xe0, 0x9f, 0xbf, 0x22],
  [0x22, 0xe0, 0xa0, 0x80, 0x22],
  [0x22, 0xed, 0xa0, 0x80, 0x22],
  [0x22, 0xed, 0x9f, 0xbf, 0x22],
  [0x22, 0xf0, 0x8f, 0xbf, 0xbf, 0x22],
  [0x22, 0xf0, 0x90, 0x80, 0x80, 0x22],
  [0x22, 0xf4, 0x8f, 0xbf, 0xbf, 0x22],
  [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
  [0x22, 0xf5, 0x80, 0x80, 0x80, 0x22],
  [0x22, 0xff, 0x22],
  [0xef, 0xbb, 0x7b, 0x7d],
  [0xef, 0xbb],
  [0x22, 0xe2, 0x82],
].map((bytes) => Uint8Array.from(bytes));

describe("text that comes in parts", () => {
  test("is judged as JSON.parse judges it, whatever the parts", () => {
    const all = [...TEXTS.map(bytesOf), ...BYTES];
    const wrong = all.filter((bytes) => [1, 2, 3, 1_000].some((part) => check(bytes, part) !== parse(bytes)));
    expect(wrong).toEqual([]);
  });

  test("is judged the same with one byte of it changed, left out or put in", () => {
    const json = fc.json({ maxDepth: 4 }).map((text) => bytesOf(text));
    const change = fc.tuple(
      json,
      fc.nat(),
      fc.constantFrom(...bytesOf('{}[]",:\\u0-.eE tfn19\n'), 0x80, 0xe2),
      fc.nat(2),
    );
    fc.assert(
      fc.property(change, fc.integer({ min: 1, max: 9 }), ([bytes, place, byte, kind], part) => {
        const at = place % (bytes.length + 1);
        const changed = Uint8Array.from([
          ...bytes.subarray(0, at),
          ...(kind === 0 ? [] : [byte]),
          ...bytes.subarray(at + (kind === 1 ? 0 : 1)),
        ]);
        const [found, expected] = [check(changed, part), parse(changed)];
        // With two things wrong either may be named.
        expect(found === "valid").toBe(expected === "valid");
      }),
      { numRuns: 600 },
    );
  });

  test("may nest as deep as a whole text may, and no deeper", () => {
    const nested = (depth: number) => bytesOf("[".repeat(depth) + "]".repeat(depth));
    expect(check(nested(JSON_DEPTH_MAX), 7)).toBe("valid");
    expect(check(nested(JSON_DEPTH_MAX + 1), 7)).toBe("json-too-deep");
  });

  test("that is wrong is told by the byte where it went wrong", () => {
    const stream = createJsonStream(DEAF);
    expect(stream.update(bytesOf('{"a":'))).toBe(true);
    expect(stream.update(bytesOf("1,}"))).toBe(false);
    expect(stream.update(bytesOf("{}"))).toBe(false);
    expect(stream.finish()).toEqual({ reason: "invalid-json", detail: "unexpected character at byte 7" });
  });
});
