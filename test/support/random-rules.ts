/**
 * Rules and events that have much to do with each other, from a seeded generator: every kind of matcher, on few paths and few
 * values, so that they meet often, and as often only nearly.
 */
import type { Pattern } from "../../src/core/pattern.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";

/** From 0 up to 1. */
type Random = () => number;

/** What the rules and events of one set are made of. */
export interface RandomRules {
  /** Only valid ones. */
  readonly pattern: () => Pattern;
  readonly event: () => JsonObject;
}

const NAMES = ["a", "b", "c", "d", "a.b", "b.c", "a.b.c", "", "constructor", "__proto__", "0"];
const TEXTS = [
  "",
  "a",
  "b",
  "ab",
  "abc",
  "abcd",
  "bcd",
  "xabcx",
  "aab",
  "aaab",
  "abab",
  "ab*ab",
  "\\",
  "a\\b",
  "*",
  "refs/heads/main",
  "refs/heads/release-1",
  "refs/tags/v1",
  "release-1",
  "release-12",
  "main",
  "K",
  "k",
  "\u212a",
  "Straße",
  "STRASSE",
  "ſ",
  "s",
  "ſb",
  "sB",
  "STRAẞE",
  "straſſe",
  "Σας",
  "σασ",
  "ΣΑΣ",
  "İ",
  "ı",
  "ﬅ",
  "ﬆ",
  "𐐀",
  "𐐨",
  "x𐐀",
  "𐐨x",
  "\ud801",
  "\udc00",
  "\udc28",
  "\ud801x",
  "x\udc00",
  "😀",
  "a😀b",
  "é",
  "é",
  "10.0.0.1",
  "10.0.0.255",
  "10.1.2.3",
  "255.255.255.255",
  "0.0.0.0",
  "010.0.0.1",
  "10.0.0.1/32",
  "1.2.3",
  "::1",
  "::",
  "2001:db8::1",
  "2001:DB8:0:0:0:0:0:1",
  "2001:db8:8000::",
  "2001:db8:7fff::1",
  "2001:1::",
  "fe9f::1",
  "::ffff:10.0.0.1",
  "fe80::1%eth0",
  "1",
  "null",
  "true",
  `${"a".repeat(70)}b`,
  `${"a".repeat(70)}c`,
  `b${"a".repeat(70)}`,
  "é".repeat(70),
];
/** As JSON text: there are numbers that only a parser makes. */
const NUMBERS = [
  "0",
  "-0",
  "0.0",
  "1",
  "1.0",
  "2",
  "10",
  "1e1",
  "-1",
  "0.1",
  "0.30000000000000004",
  "0.3",
  "1e999",
  "-1e999",
];
const MORE_NUMBERS = ["9007199254740993", "9007199254740992", "5e-324", "1e-999", "300", "3.0e2"];
const LITERALS = ["null", "true", "false"];
const CIDRS = [
  "10.0.0.0/8",
  "10.0.0.1/32",
  "10.0.0.128/25",
  "0.0.0.0/0",
  "10.0.0.77/24",
  "128.0.0.0/1",
  "10.0.0.0/17",
  "::/0",
  "::1/128",
  "2001:db8::/32",
  "2001:db8::/33",
  "2001:db8:ffff::/17",
  "fe80::/10",
];

type MakeJson = () => string;

/** Of a set, some names, texts and kinds of alternatives are left out, so that those that are left meet often. */
export function createRandomRules(random: Random): RandomRules {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const times = <Item>(count: number, make: () => Item): readonly Item[] => Array.from({ length: count }, make);
  const some = <Item>(items: readonly Item[], most: number): readonly Item[] => {
    return random() < 0.4 ? items : times(2 + Math.floor(random() * most), () => pick(items));
  };
  const names = some(NAMES, 3);
  const texts = some(TEXTS, 10);
  const numbers = some([...NUMBERS, ...MORE_NUMBERS], 4);
  const letters = pick(["ab", "aA", "abK\u212a", "aé𐐀", "sſSb"]);

  const text: MakeJson = () => {
    if (random() < 0.6) return pick(texts);
    return times(Math.floor(random() * 9), () => pick([...letters])).join("");
  };
  const textJson: MakeJson = () => JSON.stringify(text());
  const numberJson: MakeJson = () => pick(numbers);
  const scalarJson: MakeJson = () => {
    const of = random();
    return of < 0.6 ? textJson() : of < 0.85 ? numberJson() : pick(LITERALS);
  };

  /** An object's JSON text: a name may come twice, and the last one counts. */
  const objectJson = (depth: number, isWide: boolean): string => {
    const members = times(Math.floor(random() * 4), () => [pick(names), valueJson(depth)] as const);
    const fillers = isWide ? times(30, () => [`filler${Math.floor(random() * 100)}`, "1"] as const) : [];
    return `{${[...members, ...fillers].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
  };
  const arrays = pick([0.1, 0.3, 0.6]);
  const valueJson = (depth: number): string => {
    if (depth === 0 || random() < 0.3) return scalarJson();
    if (random() > arrays) return objectJson(depth - 1, random() < 0.15);
    // Mostly of objects: two fields in different elements of one array are what is most easily got wrong.
    const item = () => (random() < 0.7 ? objectJson(depth - 1, false) : valueJson(depth - 1));
    return `[${times(Math.floor(random() * 4), item).join(",")}]`;
  };

  const wildcardText: MakeJson = () => {
    const pieces = times(1 + Math.floor(random() * 3), () => text().slice(0, 1 + Math.floor(random() * 8)));
    const written = pieces.map((piece) => piece.replaceAll(/[\\*]/g, (each) => `\\${each}`)).join("*");
    const [before, after] = [random() < 0.6 ? "*" : "", random() < 0.6 ? "*" : ""];
    // An escaped asterisk may stand beside one that is none.
    return `${before}${written}${after}`.replaceAll(/(?<!\\)\*{2,}/g, "*");
  };
  const numericJson: MakeJson = () => {
    const [low, high] = [numberJson(), numberJson()].toSorted((a, b) => Number(a) - Number(b));
    const of = random();
    if (of < 0.2) return `["=",${low}]`;
    if (of < 0.5) return `["${pick([">", ">=", "<", "<="])}",${low}]`;
    return `["${pick([">", ">="])}",${low},"${pick(["<", "<="])}",${high}]`;
  };
  const affixJson: MakeJson = () => {
    const affix = JSON.stringify(text().slice(0, Math.floor(random() ** 2 * 6) + (random() < 0.2 ? 80 : 0)));
    return random() < 0.5 ? affix : `{"equals-ignore-case":${affix}}`;
  };
  const exceptJson: MakeJson = () => {
    const many = (make: MakeJson) => `[${times(1 + Math.floor(random() * 3), make).join(",")}]`;
    const of = random();
    if (of < 0.3) return random() < 0.5 ? textJson() : many(textJson);
    if (of < 0.5) return random() < 0.5 ? numberJson() : many(numberJson);
    if (of < 0.6) return `{"prefix":${many(textJson)}}`;
    if (of < 0.7) return `{"suffix":${many(textJson)}}`;
    if (of < 0.85) return `{"equals-ignore-case":${many(textJson)}}`;
    return `{"wildcard":${many(() => JSON.stringify(wildcardText()))}}`;
  };
  const alternatives: readonly MakeJson[] = some<MakeJson>(
    [
      scalarJson,
      scalarJson,
      () => `{"exactly":${textJson()}}`,
      () => `{"prefix":${affixJson()}}`,
      () => `{"suffix":${affixJson()}}`,
      () => `{"equals-ignore-case":${textJson()}}`,
      () => `{"wildcard":${JSON.stringify(wildcardText())}}`,
      () => `{"numeric":${numericJson()}}`,
      () => `{"cidr":"${pick(CIDRS)}"}`,
      () => `{"anything-but":${exceptJson()}}`,
      () => `{"exists":true}`,
      () => `{"exists":false}`,
    ],
    3,
  );

  const fieldsJson = (depth: number): string => {
    const field: MakeJson = () => `[${times(random() < 0.7 ? 1 : 2, () => pick(alternatives)()).join(",")}]`;
    const members = times(1 + Math.floor(random() ** 2 * 3), () => {
      return [pick(names), depth > 0 && random() < 0.5 ? fieldsJson(depth - 1) : field()] as const;
    });
    const choices = () => `[${times(2, () => fieldsJson(depth - 1)).join(",")}]`;
    const unique = new Map(depth > 0 && random() < 0.2 ? [...members.slice(1), ["$or", choices()] as const] : members);
    return `{${[...unique].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
  };

  return {
    pattern: () => {
      for (;;) {
        const pattern = parsePattern(JSON.parse(fieldsJson(2)) as Json);
        if (pattern.ok) return pattern.value;
      }
    },
    event: () => JSON.parse(objectJson(4, random() < 0.3)) as JsonObject,
  };
}
