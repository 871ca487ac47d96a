import { describe, expect, it } from "vitest";
import { answerText, readAnswerBytes } from "../../src/targets/_answer-body.ts";
import { ANSWER_BYTES_MAX } from "../../src/targets/_answer.ts";

const never = new AbortController().signal;

function answerOf(...chunks: readonly Uint8Array[]) {
  let cancelled = false;
  const left = [...chunks];
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = left.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: () => void (cancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { response: new Response(body), left, isCancelled: () => cancelled };
}

describe("reading an answer's body", () => {
  it("joins what comes in pieces", async () => {
    const { response } = answerOf(new Uint8Array([1, 2]), new Uint8Array([]), new Uint8Array([3]));
    expect(await readAnswerBytes(response, 10, never)).toEqual(new Uint8Array([1, 2, 3]));
    expect(await readAnswerBytes(new Response(null), 10, never)).toEqual(new Uint8Array());
  });

  it("stops at the limit, reads no more and lets go of the rest", async () => {
    const { response, left, isCancelled } = answerOf(new Uint8Array(6), new Uint8Array(6), new Uint8Array(6));
    expect(await readAnswerBytes(response, 10, never)).toEqual(new Uint8Array(10));
    expect(left).toHaveLength(1);
    expect(isCancelled()).toBe(true);
  });

  it("does not believe a length that is announced: no more than the limit is read of what comes", async () => {
    for (const length of ["0", "3"]) {
      const { response, left, isCancelled } = answerOf(new Uint8Array(6), new Uint8Array(6), new Uint8Array(6));
      const liar = new Response(response.body, { headers: { "content-length": length } });
      expect(await readAnswerBytes(liar, 10, never)).toEqual(new Uint8Array(10));
      expect(left).toHaveLength(1);
      expect(isCancelled()).toBe(true);
    }
  });

  it("ends with its deadline, and lets go of the rest", async () => {
    let cancelled = false;
    const stuck = new ReadableStream({ pull: () => new Promise(() => {}), cancel: () => void (cancelled = true) });
    expect(await readAnswerBytes(new Response(stuck), 10, AbortSignal.timeout(10))).toEqual(new Uint8Array());
    expect(cancelled).toBe(true);
  });
});

describe("an answer's text", () => {
  it("is cut at the limit, without half a character, and says where bytes are no text", () => {
    expect(answerText(new TextEncoder().encode("é".repeat(ANSWER_BYTES_MAX)))).toBe("é".repeat(ANSWER_BYTES_MAX / 2));
    expect(answerText(new TextEncoder().encode(`a${"é".repeat(ANSWER_BYTES_MAX)}`))).toBe(
      `a${"é".repeat(ANSWER_BYTES_MAX / 2 - 1)}`,
    );
    expect(answerText(new Uint8Array([0x61, 0xc3]))).toBe("a\ufffd");
  });
});
