/**
 * Where a text stops being JSON (RFC 8259). Engines name the position for some mistakes only, and a person who wrote a
 * template needs it for all of them. Knows nothing of depth: one pass over the tokens with a stack.
 */
const TOKEN =
  /[ \t\n\r]*(?:([[\]{},:])|("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;
const SPACE = /[ \t\n\r]*/y;

type Expected = "value" | "value or ]" | "name" | "name or }" | "colon" | "comma or close" | "end";

export interface JsonMistake {
  /** Characters before the mistake; the text's length when it ends too early. */
  readonly position: number;
  readonly expected: string;
}

/** The first character that can't stand where it stands, or null when the text is JSON. */
export function findJsonMistake(text: string): JsonMistake | null {
  const open: ("[" | "{")[] = [];
  let expected: Expected = "value";
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    SPACE.test(text);
    const start = SPACE.lastIndex;
    if (start === text.length && expected === "end") return null;
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    const next: Expected | null = token === null ? null : step(expected, token, open);
    if (next === null) return { position: start, expected: wording(expected, open) };
    expected = next;
    at = TOKEN.lastIndex;
  }
}

/** What may follow the token, or null when it can't stand here. */
function step(expected: Expected, token: RegExpExecArray, open: ("[" | "{")[]): Expected | null {
  const [, mark, string, scalar] = token;
  const top = open.at(-1);
  const mayClose =
    expected === "comma or close" || (top === "[" ? expected === "value or ]" : expected === "name or }");
  if (mayClose && ((mark === "]" && top === "[") || (mark === "}" && top === "{"))) {
    open.pop();
    return afterValue(open);
  }
  switch (expected) {
    case "value":
    case "value or ]":
      if (mark === "[" || mark === "{") {
        open.push(mark);
        return mark === "[" ? "value or ]" : "name or }";
      }
      return string === undefined && scalar === undefined ? null : afterValue(open);
    case "name":
    case "name or }":
      return string === undefined ? null : "colon";
    case "colon":
      return mark === ":" ? "value" : null;
    case "comma or close":
      return mark === "," ? (top === "{" ? "name" : "value") : null;
    case "end":
      return null;
  }
}

function afterValue(open: readonly ("[" | "{")[]): Expected {
  return open.length === 0 ? "end" : "comma or close";
}

function wording(expected: Expected, open: readonly ("[" | "{")[]): string {
  if (expected === "comma or close") return open.at(-1) === "{" ? "a comma or }" : "a comma or ]";
  if (expected === "end") return "nothing more";
  if (expected === "colon") return "a colon";
  if (expected.startsWith("name")) return expected.replace("name", "a name in double quotes");
  return expected.replace("value", "a value");
}
