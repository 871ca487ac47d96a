/**
 * Stands in a deployed Worker for what reads an entry of the rule files, its messages and its JSON Schema: `#entry/…` is this
 * file there (`imports` in package.json). The rules were read when they were generated.
 */
export default function noEntry(): Readonly<Record<string, never>> {
  return {};
}
