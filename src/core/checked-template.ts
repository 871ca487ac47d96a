/** Reads the body of a template that `parseTemplate` has found right when the rules were generated: the same result. */
import type { Json } from "./result.ts";
import { isJsonObject } from "./result.ts";
import type { Template, TemplatePart } from "./template.ts";
import { TEXT_TOKEN, WHOLE_PLACEHOLDER, escapeText, joinStrings, splitText } from "./template.ts";

export function checkedTemplate(body: Json): Template {
  const isText = typeof body === "string" && /^\s*[{["]/.test(body);
  return joinStrings(isText ? partsOfText(body) : partsOfJson(body));
}

function partsOfText(text: string): readonly TemplatePart[] {
  return Array.from(text.matchAll(TEXT_TOKEN)).flatMap(([token]): readonly TemplatePart[] => {
    const alone = WHOLE_PLACEHOLDER.exec(token)?.[1];
    if (alone !== undefined) return [{ name: alone, as: "value" }];
    if (!token.startsWith('"')) return [token];
    return splitText(token, true).map((piece) =>
      typeof piece === "string" ? piece : { name: piece.name, as: "text" },
    );
  });
}

function partsOfJson(value: Json): readonly TemplatePart[] {
  if (typeof value === "string") return partsOfString(value);
  if (typeof value !== "object" || value === null) return [JSON.stringify(value)];
  if (isJsonObject(value)) {
    const members = Object.entries(value).map(([name, member]) => [
      `${JSON.stringify(splitText(name).join(""))}:`,
      ...partsOfJson(member),
    ]);
    return ["{", ...separated(members), "}"];
  }
  return ["[", ...separated(value.map(partsOfJson)), "]"];
}

function separated(items: readonly (readonly TemplatePart[])[]): readonly TemplatePart[] {
  return items.flatMap((parts, index) => (index === 0 ? parts : [",", ...parts]));
}

function partsOfString(text: string): readonly TemplatePart[] {
  const alone = WHOLE_PLACEHOLDER.exec(text)?.[1];
  if (alone !== undefined) return [{ name: alone, as: "value" }];
  const pieces = splitText(text).map((piece): TemplatePart => {
    return typeof piece === "string" ? escapeText(piece) : { name: piece.name, as: "text" };
  });
  return ['"', ...pieces, '"'];
}
