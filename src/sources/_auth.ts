/**
 * What sources share in saying how their requests are authenticated. Saying nothing is a mistake: an open source is a
 * decision that stands in the file.
 */
import type { SourceContext } from "../core/source.ts";

export interface SetSecret {
  readonly name: string;
  readonly value: string;
}

/** Those secrets that are set in the environment. */
export function setSecrets(names: readonly string[], context: SourceContext): readonly SetSecret[] {
  return names.flatMap((name) => {
    const value = context.secret(name);
    return value === undefined || value === "" ? [] : [{ name, value }];
  });
}

/** Names of the secrets that are right. Every one is tried, so the time doesn't tell which one it was. */
export function rightSecrets(secrets: readonly SetSecret[], isRight: (secret: string) => boolean): readonly string[] {
  return secrets.filter(({ value }) => isRight(value)).map(({ name }) => name);
}
