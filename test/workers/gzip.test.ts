/** Decompression as workerd does it: what it takes for an end, and for garbage, is the runtime's. */
import { gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { FEED_BYTES, GZIP_RATIO_FLOOR_BYTES, GZIP_RATIO_MAX, contentEncodingOf, gunzip } from "../../src/http/gzip.ts";
import { gzipped } from "../../src/targets/_gzip.ts";
import { problemOf, send } from "./router.ts";

const BYTES_MAX = 1_048_576;

function gz(data: string | Uint8Array): Uint8Array {
  return new Uint8Array(gzipSync(data));
}

function join(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))));
}

/** Bytes that don't compress. */
function noise(bytes: number): Uint8Array {
  const random = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(random.subarray(at, at + 65_536));
  return random;
}

async function reasonOf(encoded: Uint8Array, bytesMax = BYTES_MAX): Promise<string> {
  const plain = await gunzip(encoded, bytesMax);
  return plain.ok ? "ok" : plain.error.reason;
}

describe("gunzip", () => {
  it.each(["", "{}", '{"text":"é 😀"}', "x".repeat(60_000)])(
    "gives back what was compressed, such as %j",
    async (text) => {
      const plain = await gunzip(gz(text), BYTES_MAX);
      expect(plain.ok && new TextDecoder().decode(plain.value)).toBe(text);
      const own = await gunzip(await gzipped(new TextEncoder().encode(text)), BYTES_MAX);
      expect(own.ok && new TextDecoder().decode(own.value)).toBe(text);
    },
  );

  it("takes as many bytes as the limit and not one more, however little they compress", async () => {
    for (const make of [noise, (bytes: number) => new TextEncoder().encode("ab".repeat(bytes).slice(0, bytes))]) {
      expect(await reasonOf(gz(make(50_000)), 50_000)).toBe("ok");
      expect(await reasonOf(gz(make(50_001)), 50_000)).toBe("body-too-large");
    }
  });

  it("stops a bomb", async () => {
    const bomb = gz(new Uint8Array(10 * BYTES_MAX));
    expect(bomb.length).toBeLessThan(20_000);
    expect(await reasonOf(bomb)).toBe("compression-ratio");
    expect(await reasonOf(bomb, BYTES_MAX / 2)).toBe("body-too-large");
  });

  it("gives the decompressor little of a bomb: workerd's makes all of what it gets, whoever reads it", async () => {
    const Whole = DecompressionStream;
    const fed: number[] = [];
    vi.stubGlobal("DecompressionStream", function counting(format: "gzip") {
      const whole = new Whole(format);
      const writer = whole.writable.getWriter();
      const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
        write(part) {
          fed.push(part.length);
          return writer.write(part);
        },
        close: () => writer.close(),
        abort: (reason) => writer.abort(reason),
      });
      return { readable: whole.readable, writable };
    });
    try {
      const bomb = gz(new Uint8Array(100_000_000));
      expect(await reasonOf(bomb)).toBe("body-too-large");
      expect(fed).toEqual([FEED_BYTES]);
      fed.length = 0;
      const whole = gz(noise(3 * FEED_BYTES));
      expect(await reasonOf(whole)).toBe("ok");
      expect(fed).toEqual([FEED_BYTES, FEED_BYTES, FEED_BYTES, whole.length - 3 * FEED_BYTES]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("counts the ratio above its floor only", async () => {
    const small = gz(new Uint8Array(GZIP_RATIO_FLOOR_BYTES));
    expect(GZIP_RATIO_FLOOR_BYTES / small.length).toBeGreaterThan(GZIP_RATIO_MAX);
    expect(await reasonOf(small)).toBe("ok");
    expect(await reasonOf(gz(new Uint8Array(3 * GZIP_RATIO_FLOOR_BYTES)))).toBe("compression-ratio");
  });

  it("refuses what is cut off, altered, none, or has anything after it", async () => {
    const whole = gz('{"a":1}');
    const wrong: Record<string, Uint8Array> = {
      nothing: new Uint8Array(),
      "the wrong magic": join(Uint8Array.of(0x1f, 0x8c), whole.subarray(2)),
      "plain JSON": join('{"a":1}'),
      "cut off in the header": whole.subarray(0, 5),
      "cut off in the data": whole.subarray(0, 12),
      "without its checksum": whole.subarray(0, -8),
      "one byte short": whole.subarray(0, -1),
      "a wrong checksum": join(whole.subarray(0, -8), Uint8Array.of(1, 2, 3, 4), whole.subarray(-4)),
      "garbage after it": join(whole, "garbage"),
      "a zero after it": join(whole, Uint8Array.of(0)),
      "another member after it": join(whole, whole),
      twice: gz(whole),
    };
    const found = await Promise.all(
      Object.entries(wrong).map(async ([name, bytes]) => [name, await reasonOf(new Uint8Array(bytes))]),
    );
    // Compressed twice it is one member still, of bytes that no source can read.
    const expected = Object.keys(wrong).map((name) => [name, name === "twice" ? "ok" : "malformed-gzip"]);
    expect(found).toEqual(expected);
  });
});

describe("a content encoding", () => {
  it.each([
    ["gzip", "gzip"],
    [" GZip ", "gzip"],
    ["x-gzip", "gzip"],
    ["gzip, gzip", "gzip, gzip"],
    ["identity", "identity"],
    ["br", "br"],
  ])("%j is %j", (header, encoding) => {
    expect(contentEncodingOf(new Headers({ "content-encoding": header }))).toBe(encoding);
  });

  it("is refused by a source that has not asked for it", async () => {
    const call = { headers: { "content-encoding": "gzip" }, body: gz("{}") as Uint8Array<ArrayBuffer> };
    const answer = await send("/webhooks/github", call);
    expect(problemOf(answer)).toBe("415 unsupported-content-encoding");
    expect(answer.headers.get("accept-encoding")).toBe("identity");
  });
});
