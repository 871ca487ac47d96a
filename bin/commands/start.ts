/** `sluice start`: the router on this machine. Standard output gets one line, when it accepts requests. */
import { relative, resolve } from "node:path";
import type { RuleSet } from "../../src/core/rule-set.ts";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import { URL_DEFAULT } from "../admin-client.ts";
import type { ExitCode, Failure } from "../failure.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { queueBindings, secretNames } from "../local/bindings.ts";
import { DEV_VARS_FILE, resolveDevVars } from "../local/dev-vars.ts";
import { describeLogLine } from "../local/log-line.ts";
import { startPrinter } from "../local/printer.ts";
import type { Router, RouterRules } from "../local/router.ts";
import { startRouter } from "../local/router.ts";
import type { Watch } from "../local/rules-watch.ts";
import { watchFolder } from "../local/rules-watch.ts";
import { lockState } from "../local/state-lock.ts";
import { checkRules, rulesFailure, sayProblems } from "../rules-check.ts";
import type { Terminal } from "../terminal.ts";

export interface StartOptions {
  readonly port: number;
  readonly host: string;
  readonly state: string;
  readonly rules: string;
  /** Instead of those in wrangler.toml. */
  readonly var: Readonly<Record<string, string>>;
  /** False: the rules stay those of the start, as they do where it is deployed. */
  readonly watch: boolean;
}

/** The source that `POST /events` belongs to. */
const EVENTS_SOURCE = "events";

export async function start(options: StartOptions, terminal: Terminal): Promise<ExitCode> {
  const loaded = await loadRules(options.rules, terminal);
  if (!loaded.ok) return terminal.fail(loaded.error);
  const lock = await lockState(options.state);
  if (!lock.ok) return terminal.fail(lock.error);
  const ended = nextSignal();
  const printer = await startPrinter(terminal.say);
  const router = await openRouter(options, loaded.value.settings, printer.url, terminal);
  let watch: Watch | undefined;
  if (router.ok) {
    const { url } = router.value;
    describeStart(url, options, loaded.value.ruleSet, terminal);
    terminal.print(`ready ${url}`);
    describeNextSteps(url, options, loaded.value.ruleSet, terminal);
    if (options.watch) watch = followRules(options.rules, router.value, loaded.value.settings.document, terminal);
    const signal = await ended;
    terminal.say(`Stopping (${signal}).`);
  }
  watch?.stop();
  if (router.ok) await router.value.close();
  await printer.close();
  await lock.value.release();
  return router.ok ? EXIT_OK : terminal.fail(router.error);
}

interface LoadedRules {
  readonly ruleSet: RuleSet;
  readonly settings: RouterRules;
}

/** Checks the rules and finds the secrets that they name; says what it finds. */
async function loadRules(dir: string, terminal: Terminal): Promise<Result<LoadedRules, Failure>> {
  const { problems, document, ruleSet } = await checkRules(dir, false);
  sayProblems(problems, terminal);
  if (document === undefined || ruleSet === undefined) return err(rulesFailure(dir, problems));
  const secrets = await resolveDevVars(secretNames(ruleSet), terminal.env);
  if (!secrets.ok) return secrets;
  const { values, added, notWritten } = secrets.value;
  if (added.length > 0 && notWritten === undefined) {
    terminal.say(`Made up and written to ${DEV_VARS_FILE}: ${added.join(", ")}`);
  } else if (added.length > 0) {
    const warning = terminal.tint("yellow", "warning:");
    terminal.say(
      `${warning} made up for this run only, because ${DEV_VARS_FILE} can't be written (${notWritten}): ${added.join(", ")}`,
    );
    terminal.say("Other commands can't know them: set them in the environment, for both.");
  }
  return ok({ ruleSet, settings: { document, secrets: values, queues: queueBindings(ruleSet) } });
}

async function openRouter(
  options: StartOptions,
  settings: RouterRules,
  printUrl: string,
  terminal: Terminal,
): Promise<Result<Router, Failure>> {
  const { port, host } = options;
  try {
    const router = await startRouter({
      ...settings,
      port,
      host,
      stateDir: options.state,
      vars: options.var,
      printUrl,
      onLog: (line) => {
        if (line.trim() !== "") terminal.say(describeLogLine(line, terminal));
      },
    });
    // workerd listens before it has run the Worker; a Worker that can't start must not count as ready.
    const health = await fetch(`${router.url}/healthz`);
    if (health.ok) return ok(router);
    await router.close();
    return err({ message: `the router started but answers ${health.status}; the lines above say why` });
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string };
    if (code === "ERR_ADDRESS_IN_USE") {
      const hint = "Choose another with --port N, or --port 0 for any free one.";
      return err({ message: `the port ${port} on ${host} is in use`, hint });
    }
    return err({ message: `the router can't be started: ${message}` });
  }
}

function describeStart(url: string, options: StartOptions, ruleSet: RuleSet, { say, tint, cwd }: Terminal): void {
  const field = (name: string, value: string): void => say(`  ${tint("dim", name.padEnd(9))}${value}`);
  const shown = (dir: string): string => relative(cwd, resolve(dir)) || ".";
  say(tint("bold", "Sluice"));
  field("rules", `${ruleSet.rules.length} from ${shown(options.rules)}/, version ${ruleSet.version}`);
  field("state", `${shown(options.state)}/`);
  for (const [index, { definition, source, config }] of ruleSet.sources.entries()) {
    const path = definition.name === EVENTS_SOURCE ? "/events" : `/webhooks/${definition.name}`;
    const names = source.secretNames(config);
    const secured = names.length === 0 ? "" : ` (${names.join(", ")})`;
    field(index === 0 ? "sources" : "", `${definition.name}: POST ${url}${path}${secured}`);
  }
  for (const { definition, source, config } of ruleSet.sources) {
    if (source.isOpen(config)) {
      say(`${tint("yellow", "warning:")} anyone may send to the source ${definition.name}: it says auth: none`);
    }
  }
}

function describeNextSteps(url: string, options: StartOptions, ruleSet: RuleSet, { say, tint }: Terminal): void {
  const to = url === URL_DEFAULT ? "" : ` --to ${url}`;
  const github = ruleSet.sources.find(({ definition }) => definition.kind === "github")?.definition.name;
  const events = ruleSet.sources.find(({ definition }) => definition.kind === "cloudevents")?.definition.name;
  const send =
    github !== undefined
      ? `send github push${github === "github" ? "" : ` --source ${github}`}${to}`
      : events === undefined
        ? undefined
        : `send cloudevent${events === EVENTS_SOURCE ? "" : ` --source ${events}`}${to}`;
  say("In a second terminal:");
  if (send !== undefined) say(`  ${tint("cyan", `npm run sluice -- ${send}`)}`);
  say(`  ${tint("cyan", `npm run sluice -- events${to}`)}`);
  const whenSaved = options.watch ? "are applied when their files are saved" : "stay as they are until the next start";
  say(`Rules in ${options.rules}/ ${whenSaved}. Ctrl-C stops.`);
}

/** Applies the rules again after each change; wrong ones are listed and the old ones go on. */
function followRules(dir: string, router: Router, running: RulesDocument, terminal: Terminal): Watch {
  let version = running.version;
  return watchFolder(resolve(dir), async () => {
    try {
      const loaded = await loadRules(dir, terminal);
      if (!loaded.ok) {
        terminal.say(`${terminal.tint("red", "error:")} ${loaded.error.message}; version ${version} goes on`);
        return;
      }
      const { settings } = loaded.value;
      if (settings.document.version === version) {
        terminal.say(`The rules are as they were: version ${version} goes on.`);
        return;
      }
      await router.reload(settings);
      version = settings.document.version;
      terminal.say(`${terminal.tint("green", "Applied")} ${settings.document.rules.length} rules, version ${version}.`);
    } catch (error) {
      terminal.say(
        `${terminal.tint("red", "error:")} the rules could not be applied: ${String(error)}. Start the router again.`,
      );
    }
  });
}

/** npm hands on the signal that a terminal sends to it and to this process alike, so one Ctrl-C arrives twice. */
const SIGNAL_ECHO_MS = 1_000;

/** The signal that ends the run; a later one ends it at once. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((done) => {
    let firstAt: number | undefined;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        firstAt ??= performance.now();
        if (performance.now() - firstAt > SIGNAL_ECHO_MS) process.exit(EXIT_FAILURE);
        done(signal);
      });
    }
  });
}
