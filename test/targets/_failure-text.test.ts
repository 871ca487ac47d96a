import { describe, expect, it } from "vitest";
import { FAILURE_CHARS_MAX, describeFailure, redact, withoutControls } from "../../src/targets/_failure-text.ts";

describe("words about a failure", () => {
  it("are a system's error code where there is one", () => {
    const cause = Object.assign(new Error("connect ECONNREFUSED 10.1.2.3:80"), { code: "ECONNREFUSED" });
    expect(describeFailure(new TypeError("fetch failed", { cause }))).toBe("ECONNREFUSED");
  });

  it("are the runtime's message without URLs, quotations and secrets", () => {
    const error = new Error('Invalid "Bearer hunter22" for https://ci.example.com/?key=1 with hunter33\nnow');
    expect(describeFailure(error, ["hunter33"])).toBe("Invalid … for <url> with [redacted] now");
    expect(describeFailure(new Error("Network connection lost."))).toBe("Network connection lost.");
  });

  it("are never more than the limit", () => {
    expect(describeFailure(new Error("a".repeat(FAILURE_CHARS_MAX)))).toHaveLength(FAILURE_CHARS_MAX);
    expect(describeFailure(new Error("a".repeat(FAILURE_CHARS_MAX + 1)))).toHaveLength(FAILURE_CHARS_MAX);
  });

  it.each([undefined, null, "text", 5, {}, { code: 5 }, { code: "hunter22 secret" }])("exist for %j too", (thrown) => {
    expect(describeFailure(thrown)).toBe("no reason given");
  });

  it("hold no control characters but tab and line feed", () => {
    expect(withoutControls("a\u001b[31m\tb\r\n\u0000\u009b\u007fc")).toBe("a[31m\tb\nc");
  });

  it("leave words alone that a very short secret happens to be part of", () => {
    expect(redact("an answer with abcde and abcdef", ["a", "abcde", "abcdef"])).toBe(
      "an answer with abcde and [redacted]",
    );
  });

  it.each([
    ["in JSON", String.raw`["a\"b/c+d=e"]`],
    ["in JSON as PHP writes it", String.raw`["a\"b\/c+d=e"]`],
    ["percent-encoded", "?key=a%22b%2Fc%2Bd%3De"],
    ["without its scheme", 'token a"b/c+d=e'],
    ["cut off", 'the answer ends in Bearer a"b/'],
  ])("hide a secret that is spelled %s", (_how, text) => {
    const redacted = redact(text, ['Bearer a"b/c+d=e']);
    expect(redacted).toContain("[redacted]");
    expect(redacted).not.toMatch(/c\+d|c%2B|b\/|b%2F/);
  });

  it("leave nothing of a secret that begins as another one", () => {
    expect(redact("key hunter22-next", ["hunter22", "hunter22-next"])).toBe("key [redacted]");
  });
});
