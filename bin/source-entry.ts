/** What the command line needs to know of a source to send to it as its vendor would. */
import { resolve } from "node:path";
import { unknownName } from "../src/core/read-object.ts";
import type { Result } from "../src/core/result.ts";
import { err, ok } from "../src/core/result.ts";
import { loadRegistry } from "../scripts/registry.ts";
import { readRules } from "../scripts/rule-files.ts";
import type { Failure } from "./failure.ts";
import type { Environment } from "./local/dev-vars.ts";
import { DEV_VARS_FILE, findSecret } from "./local/dev-vars.ts";

/** The value of the source's first secret, or of the one with the given name; undefined when anyone may send. */
export async function findSourceSecret(
  wanted: { readonly source: string; readonly kind: string; readonly rules: string; readonly secretName?: string },
  env: Environment,
): Promise<Result<string | undefined, Failure>> {
  const name = wanted.secretName === undefined ? await firstSecretName(wanted) : ok(wanted.secretName);
  if (!name.ok || name.value === undefined) return name;
  const secret = await findSecret(name.value, env);
  if (!secret.ok || secret.value !== undefined) return secret;
  return err({
    message: `the secret ${name.value} is not set, in the environment or in ${DEV_VARS_FILE}`,
    hint: `npm start makes one up for local runs; for another router: ${name.value}=… npm run sluice -- send …`,
  });
}

/** Mistakes elsewhere in the rule files don't matter here: the router runs what it was started with. */
async function firstSecretName({
  source,
  kind,
  rules,
}: {
  readonly source: string;
  readonly kind: string;
  readonly rules: string;
}): Promise<Result<string | undefined, Failure>> {
  const registry = await loadRegistry();
  const { document } = await readRules(resolve(rules), registry);
  const definition = document.sources.find(({ name }) => name === source);
  if (definition === undefined) {
    const known = document.sources.map(({ name }) => name);
    const hint = "Name a source with --source, its folder with --rules, or the secret itself with --secret-name.";
    return err({ message: `${rules}/sources.yaml: ${unknownName("source", source, known)}`, hint });
  }
  if (definition.kind !== kind) {
    return err({
      message: `the source ${source} is of kind ${definition.kind}, not ${kind}; name another with --source`,
    });
  }
  const module = registry.sources[kind];
  const config = module?.parse(definition.entry);
  if (module === undefined || config?.ok !== true) throw new Error(`the source ${source} was read but can't be parsed`);
  return ok(module.secretNames(config.value as never)[0]);
}
