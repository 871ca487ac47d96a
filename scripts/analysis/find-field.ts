/** Where else in a payload a field stands that was looked for in the wrong place. */
import type { GithubType } from "../github-schema.ts";

const DEPTH_MAX = 4;
const FOUND_MAX = 3;
/** Payloads are wide: a search that has seen so many fields has seen those that anyone means. */
const FIELDS_SEEN_MAX = 4_000;
/** Of more types than these, nobody knows which was meant. */
const TYPES_MAX = 40;

/** The highest paths of the payload that end with the names, or with the last of them; none when they are in too many places. */
export function findElsewhere(types: readonly GithubType[], names: readonly string[]): readonly string[] {
  if (types.length > TYPES_MAX) return [names.join(".")];
  const whole = search(types, names);
  return whole.length > 0 || names.length === 1 ? whole : search(types, names.slice(-1));
}

function search(types: readonly GithubType[], names: readonly string[]): readonly string[] {
  const rest = names.join(".");
  let level: readonly string[] = [""];
  let seen = 0;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const found = level.map((path) => join(path, rest)).filter((path) => types.some((type) => isNamed(type, path)));
    if (found.length > 0) return found.slice(0, FOUND_MAX);
    const next = new Set<string>();
    for (const path of level) {
      for (const name of new Set(types.flatMap((type) => type.namesAt(path)))) {
        if (++seen > FIELDS_SEEN_MAX) return [];
        next.add(join(path, name));
      }
    }
    level = [...next];
  }
  return [];
}

/** Whether the schemas name the path; where anything may stand, they don't. */
function isNamed(type: GithubType, path: string): boolean {
  const at = path.lastIndexOf(".");
  return type.namesAt(at === -1 ? "" : path.slice(0, at)).includes(path.slice(at + 1));
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
