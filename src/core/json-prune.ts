/**
 * Prunes JSON that comes in parts: checks the whole, and keeps only what is wanted of it, as a small JSON document in which
 * patterns and paths find what they would find in the whole. However long the text is, memory holds what is kept.
 */
import type { JsonStreamProblem } from "./json-stream.ts";
import { createJsonStream } from "./json-stream.ts";
import type { Result } from "./result.ts";
import { err, ok } from "./result.ts";
import type { WantedNode } from "./wanted-tree.ts";
import { wantedMember } from "./wanted-tree.ts";

/** What is kept of a document, at most: as much as a whole payload may have that is not large. */
export const PRUNED_BYTES_MAX = 1_048_576;

export type PruneProblem = JsonStreamProblem | { readonly reason: "rules-need-too-much"; readonly bytesMax: number };

export interface Pruner {
  readonly update: (chunk: Uint8Array) => void;
  /** Once, after the last part. */
  readonly finish: () => Result<Uint8Array, PruneProblem>;
}

const FIRST_BYTES = 4_096;
const [COMMA, COLON, DOT, BACKSLASH] = [0x2c, 0x3a, 0x2e, 0x5c] as const;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d] as const;
const NULL = new TextEncoder().encode("null");
const UTF8 = new TextDecoder();

/** A container of the document of which some part may be wanted. */
interface Frame {
  readonly node: WantedNode;
  readonly isObject: boolean;
  /** How things stood before it, for an element of which nothing turns out to be wanted. */
  readonly before: { readonly length: number; readonly written: number; readonly skipped: number };
  /** Members or elements that are kept. */
  written: number;
  /**
   * Elements since the last one that is kept. They are written as `{}` before the next one that is, so that it keeps its
   * place: unlike null, an empty object is no value to a pattern, and a path finds nothing in it.
   */
  skipped: number;
  /** In an object: what is wanted of the member whose name was read last. */
  member: WantedNode | undefined;
}

export function createPruner(
  wanted: WantedNode,
  { depthMax, bytesMax = PRUNED_BYTES_MAX }: { readonly depthMax?: number; readonly bytesMax?: number } = {},
): Pruner {
  let kept = new Uint8Array(FIRST_BYTES);
  let length = 0;
  let isOver = false;
  const frames: Frame[] = [];
  /** How many containers around are not in `frames`: they are left out, or copied as a whole. */
  let deeper = 0;
  let chunk = new Uint8Array();
  /** Where in the part at hand the copy of a wanted value goes on; -1 when nothing is copied. */
  let copyAt = -1;
  /** The same of a name that is being read. */
  let nameAt = -1;
  let name = new Uint8Array(256);
  let nameLength = 0;

  /** Whether there is room for so many bytes more; makes it. */
  function hasRoom(bytes: number): boolean {
    if (length + bytes > bytesMax) isOver = true;
    if (isOver) return false;
    if (length + bytes > kept.length) {
      const larger = new Uint8Array(Math.max(length + bytes, 2 * kept.length));
      larger.set(kept.subarray(0, length));
      kept = larger;
    }
    return true;
  }

  function keep(bytes: Uint8Array): void {
    if (!hasRoom(bytes.length)) return;
    kept.set(bytes, length);
    length += bytes.length;
  }

  function keepByte(byte: number): void {
    if (hasRoom(1)) kept[length++] = byte;
  }

  function keepNothing(): void {
    keepByte(OPEN_OBJECT);
    keepByte(CLOSE_OBJECT);
  }

  /** What is wanted of the value that begins now. */
  function valueNode(frame: Frame | undefined): WantedNode | undefined {
    if (frame === undefined) return wanted;
    return frame.isObject ? frame.member : frame.node;
  }

  /** Writes what stands before a value that is kept. A member's name stands there already. */
  function makePlace(frame: Frame | undefined): void {
    if (frame === undefined || frame.isObject) return;
    for (; frame.skipped > 0 && !isOver; frame.skipped--) {
      if (frame.written++ > 0) keepByte(COMMA);
      keepNothing();
    }
    if (frame.written++ > 0) keepByte(COMMA);
  }

  /** Leaves a value out. A member of whose value nothing is wanted stays, since it may take the place of an earlier one. */
  function leaveOut(frame: Frame | undefined, node: WantedNode | undefined): void {
    if (frame?.isObject === false) frame.skipped += 1;
    else if (frame === undefined) keep(NULL);
    else if (node !== undefined) keepNothing();
  }

  function endCopy(at: number): void {
    if (copyAt === -1 || deeper > 0) return;
    keep(chunk.subarray(copyAt, at));
    copyAt = -1;
  }

  function collectName(at: number): void {
    const max = frames.at(-1)?.node.nameBytesMax ?? 0;
    const added = Math.min(at - nameAt, Math.max(0, max + 1 - nameLength));
    if (nameLength + added > name.length) {
      const larger = new Uint8Array(2 * (nameLength + added));
      larger.set(name.subarray(0, nameLength));
      name = larger;
    }
    name.set(chunk.subarray(nameAt, nameAt + added), nameLength);
    nameLength += added;
  }

  function readName({ node }: Frame): WantedNode | undefined {
    if (nameLength > node.nameBytesMax) return undefined;
    const text = name.subarray(0, nameLength);
    const isEscaped = text.includes(BACKSLASH);
    if (!isEscaped && !node.nameBytes.has(nameLength - 2) && !text.includes(DOT)) return undefined;
    return wantedMember(node, JSON.parse(UTF8.decode(text)) as string);
  }

  const stream = createJsonStream(
    {
      nameBegins(at) {
        if (deeper > 0) return;
        nameAt = at;
        nameLength = 0;
      },
      nameEnds(at) {
        const frame = deeper > 0 ? undefined : frames.at(-1);
        if (frame === undefined) return;
        collectName(at);
        nameAt = -1;
        frame.member = readName(frame);
        if (frame.member === undefined) return;
        if (frame.written++ > 0) keepByte(COMMA);
        keep(name.subarray(0, nameLength));
        keepByte(COLON);
      },
      scalarBegins(at) {
        if (deeper > 0) return;
        const frame = frames.at(-1);
        const node = valueNode(frame);
        if (node === undefined || node.depth === "names") return leaveOut(frame, node);
        makePlace(frame);
        copyAt = at;
      },
      scalarEnds: endCopy,
      opens(isObject, at) {
        if (deeper > 0) {
          deeper += 1;
          return;
        }
        const frame = frames.at(-1);
        const node = valueNode(frame);
        const isWhole = node?.depth === "all";
        // The document itself stays what it is, an object or an array.
        const isOpened = node !== undefined && (!isObject || node.children.size > 0 || frame === undefined);
        if (!isWhole && !isOpened) {
          leaveOut(frame, node);
          deeper = 1;
          return;
        }
        const before = { length, written: frame?.written ?? 0, skipped: frame?.skipped ?? 0 };
        makePlace(frame);
        if (isWhole) {
          copyAt = at;
          deeper = 1;
          return;
        }
        frames.push({ node, isObject, before, written: 0, skipped: 0, member: undefined });
        keepByte(isObject ? OPEN_OBJECT : OPEN_ARRAY);
      },
      closes(isObject, at) {
        if (deeper > 0) {
          deeper -= 1;
          endCopy(at);
          return;
        }
        const ended = frames.pop();
        const frame = frames.at(-1);
        if (ended === undefined) throw new Error("more containers end than have begun");
        if (isObject && ended.written === 0 && frame?.isObject === false && !isOver) {
          length = ended.before.length;
          frame.written = ended.before.written;
          frame.skipped = ended.before.skipped + 1;
          return;
        }
        keepByte(isObject ? CLOSE_OBJECT : CLOSE_ARRAY);
      },
    },
    depthMax,
  );

  return {
    update(part) {
      chunk = part as Uint8Array<ArrayBuffer>;
      if (copyAt !== -1) copyAt = 0;
      if (nameAt !== -1) nameAt = 0;
      if (!stream.update(part)) return;
      if (copyAt !== -1) keep(part.subarray(copyAt));
      if (nameAt !== -1) collectName(part.length);
    },

    finish() {
      chunk = new Uint8Array();
      if (copyAt !== -1) copyAt = 0;
      const problem = stream.finish();
      if (problem !== undefined) return err(problem);
      return isOver ? err({ reason: "rules-need-too-much", bytesMax }) : ok(kept.slice(0, length));
    },
  };
}
