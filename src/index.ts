/**
 * Sluice on Cloudflare: wiring only.
 *
 *   fetch      POST /webhooks/:source and /events -> http/ingest -> bus/publish -> Partition.accept -> 202, then bus/dispatch
 *   Dispatch   what a partition's alarm hands its leases to
 *   scheduled  the sweep: wakes partitions whose due work has lost its alarm, tells them how targets stand, and runs retention
 *   Partition  the Durable Object that owns events
 *   Gate       the Durable Object of one target: limits, breaker, pause
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { createAdmission } from "./bus/admission.ts";
import { sweepBodies } from "./bus/bodies-sweep.ts";
import type { BodyStore } from "./bus/body-store.ts";
import { claimBody } from "./bus/claims.ts";
import { sweepClaims } from "./bus/claims-sweep.ts";
import type { DispatchPorts } from "./bus/dispatch.ts";
import { dispatch } from "./bus/dispatch.ts";
import { askStatuses } from "./bus/gate-call.ts";
import type { Layouts } from "./bus/layout.ts";
import { readLayouts } from "./bus/layout.ts";
import { createPacer } from "./bus/pacer.ts";
import type { GatePort } from "./bus/gate-ports.ts";
import { createPartitionGroups } from "./bus/partition-groups.ts";
import type { AdminPartitionPort, DispatchJob, PartitionPort } from "./bus/ports.ts";
import { logLine } from "./bus/log-line.ts";
import { sweep } from "./bus/sweep.ts";
import type { RulesVersion } from "./core/delivery.ts";
import { gateName, partitionOf } from "./core/receipt.ts";
import { compileRunning } from "./core/rule-set.ts";
import type { LocalMode, QueueBinding, ServiceBinding } from "./core/target.ts";
import { jsonata } from "./generated/jsonata.ts";
import { rules } from "./generated/rules.ts";
import { sources } from "./generated/sources.ts";
import { targets } from "./generated/targets.ts";
import { hashing } from "./hashing.ts";
import { allPartitions } from "./http/admin.ts";
import type { HttpPorts } from "./http/app.ts";
import { app } from "./http/app.ts";
import { createLargeBudget } from "./http/large-body.ts";
import { createRejectionRecorder } from "./http/rejection-recorder.ts";
import { createVerificationRecorder } from "./http/verification-recorder.ts";
import type { Gate } from "./objects/gate.ts";
import type { Partition } from "./objects/partition.ts";
import { BODIES_BINDING, bodyStoreOf } from "./r2-body-store.ts";

export { Gate } from "./objects/gate.ts";
export { Partition } from "./objects/partition.ts";

/** Bindings of wrangler.toml; secrets and queues are looked up by the names that the rule files give. */
interface Env {
  readonly PARTITION: DurableObjectNamespace<Partition>;
  readonly GATE: DurableObjectNamespace<Gate>;
  readonly PARTITIONS: string;
  readonly PARTITIONS_BEFORE?: string;
  readonly VERSION?: WorkerVersionMetadata;
  readonly ADMIN_TOKEN?: string;
  /** Set by `npm start` only: `{"printUrl", "startedAt"}` as JSON. */
  readonly SLUICE_LOCAL?: string;
  readonly [binding: string]: unknown;
}

/** The cron of wrangler.toml. */
const SWEEP_EVERY_MS = 900_000;

const ruleSet = compileRunning(rules, { sources, targets, jsonata });
const rejectionRecorder = createRejectionRecorder();
const verificationRecorder = createVerificationRecorder();
const pacer = createPacer();
const groups = createPartitionGroups();
const admission = createAdmission();
const largeBudget = createLargeBudget();
const settingsByEnv = new WeakMap<Env, Settings>();

export default {
  fetch: (request, env, ctx) => app.fetch(request, { ports: httpPorts(env, ctx) }),

  async scheduled(controller, env, ctx) {
    const { rulesVersion, layouts } = settingsOf(env);
    const partitions = allPartitions({ ruleSet, ...layouts });
    const names = ruleSet.targets.map(({ definition }) => definition.name);
    const ports = { ...dispatchPorts(env, ctx), adminPartition: (name: string) => adminPartition(env, name) };
    const turn = Math.floor(controller.scheduledTime / SWEEP_EVERY_MS);
    const wanted = { pairs: ruleSet.pairs, deployedAt: rulesVersion.deployedAt };
    const statuses = await askStatuses(names, ports);
    await sweep(partitions, turn, { statuses, targets: names, wanted }, ports);
    await sweepClaims({ bodies: bodiesOf(env), now: Date.now, log });
    await sweepBodies(turn, { ...ports, bodies: bodiesOf(env) });
  },
} satisfies ExportedHandler<Env>;

/** A partition's alarm calls this with leases; the work goes on after the call returns, so no object waits for a target. */
export class Dispatch extends WorkerEntrypoint<Env> {
  async run(job: DispatchJob): Promise<void> {
    groups.lent(job, Date.now());
    this.ctx.waitUntil(dispatch([job], dispatchPorts(this.env, this.ctx)));
  }
}

function httpPorts(env: Env, ctx: ExecutionContext): HttpPorts {
  const ports = dispatchPorts(env, ctx);
  /** The partition that keeps what is known of a source; undefined when there is no bus. */
  const partitionOfSource = (source: string): AdminPartitionPort | undefined => {
    const bus = ruleSet.source(source)?.definition.bus ?? ruleSet.buses[0];
    if (bus === undefined) return undefined;
    return adminPartition(env, partitionOf(bus, source, ports.partitions, hashing.sha256));
  };
  const rejections = rejectionRecorder({
    now: Date.now,
    sleep,
    write: async (source, entries) => partitionOfSource(source)?.recordRejections(entries),
  });
  const verifications = verificationRecorder({
    now: Date.now,
    write: async (source, entries) => partitionOfSource(source)?.recordVerifications(entries),
  });
  return {
    ...ports,
    secret: secretOf(env),
    bodies: bodiesOf(env),
    largeBudget,
    adminToken: secretOf(env)("ADMIN_TOKEN"),
    adminPartition: (name) => adminPartition(env, name),
    later: (work) => ctx.waitUntil(work.catch((error: unknown) => log("later.failed", { error: String(error) }))),
    dispatch: (jobs) => admission.during(dispatch(jobs, ports), Date.now()),
    admit: () => admission.enter({ now: Date.now, within }),
    recordRejection: rejections.record,
    recordVerification: verifications.record,
  };
}

function dispatchPorts(env: Env, ctx: ExecutionContext): DispatchPorts {
  const settings = settingsOf(env);
  const invocation = { now: Date.now, within, later: (work: Promise<void>) => ctx.waitUntil(work) };
  return {
    ruleSet,
    rulesVersion: settings.rulesVersion,
    ...settings.layouts,
    hashing,
    newToken: () => crypto.randomUUID(),
    partition: (name) => groups.port(name, (own) => stub(env, own) as unknown as PartitionPort, invocation),
    adminPartition: (name) => adminPartition(env, name),
    allPartitions: () => allPartitions({ ruleSet, ...settings.layouts }),
    gate: (target) => env.GATE.get(env.GATE.idFromName(gateName(target))) as unknown as GatePort,
    io: settings.io,
    pacer,
    now: Date.now,
    random: Math.random,
    sleep,
    within,
    log,
  };
}

/** What the bindings say: they are the same for all requests of an isolate. */
interface Settings {
  readonly rulesVersion: RulesVersion;
  readonly layouts: Layouts;
  readonly io: DispatchPorts["io"];
}

function settingsOf(env: Env): Settings {
  let known = settingsByEnv.get(env);
  if (known === undefined) {
    known = { rulesVersion: readVersion(env), layouts: layoutsOf(env), io: targetIo(env) };
    settingsByEnv.set(env, known);
  }
  return known;
}

function targetIo(env: Env): DispatchPorts["io"] {
  return {
    now: Date.now,
    fetch: (url, init) => fetch(url, init),
    timeoutSignal: (timeoutMs) => AbortSignal.timeout(timeoutMs),
    hashing,
    secret: secretOf(env),
    queue: (binding) => {
      const queue = ownBinding(env, binding);
      return typeof queue === "object" && queue !== null && "send" in queue ? (queue as QueueBinding) : undefined;
    },
    service: (binding) => {
      const service = ownBinding(env, binding);
      return typeof service === "object" && service !== null && "fetch" in service
        ? (service as ServiceBinding)
        : undefined;
    },
    claim: (claim) =>
      claimBody(claim, {
        bodies: bodiesOf(env),
        publicUrl: secretOf(env)("PUBLIC_URL"),
        secret: secretOf(env),
        hashing,
        now: Date.now,
        isLocal: env.SLUICE_LOCAL !== undefined,
      }),
    openBody: async (key) => (await bodiesOf(env)?.read(key))?.body ?? null,
    local: localMode(env),
  };
}

function bodiesOf(env: Env): BodyStore | undefined {
  return bodyStoreOf(ownBinding(env, BODIES_BINDING));
}

function stub(env: Env, name: string): DurableObjectStub<Partition> {
  return env.PARTITION.get(env.PARTITION.idFromName(name));
}

function adminPartition(env: Env, name: string): AdminPartitionPort {
  return stub(env, name) as unknown as AdminPartitionPort;
}

function layoutsOf(env: Env): Layouts {
  const layouts = readLayouts(env.PARTITIONS, env.PARTITIONS_BEFORE);
  // Without the time of deployment two layouts would take the bus from each other in turn.
  if (layouts.partitionsBefore.length > 0 && readVersion(env).deployedAt === 0) {
    throw new Error("PARTITIONS_BEFORE needs the binding VERSION, [version_metadata] in wrangler.toml");
  }
  return layouts;
}

function secretOf(env: Env): (name: string) => string | undefined {
  return (name) => {
    const value = ownBinding(env, name);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
}

function ownBinding(env: Env, name: string): unknown {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

/**
 * When this version was uploaded orders two versions of the rules; a local run gives the time of its start. After a rollback
 * the older version runs again with its old time, so it leaves alone what only newer rules know.
 */
function readVersion(env: Env): RulesVersion {
  const deployedAt = Date.parse(env.VERSION?.timestamp ?? "");
  return {
    hash: ruleSet.version,
    deployedAt: Number.isNaN(deployedAt) ? (localMode(env)?.startedAt ?? 0) : deployedAt,
  };
}

function localMode(env: Env): (LocalMode & { readonly startedAt: number }) | undefined {
  if (env.SLUICE_LOCAL === undefined) return undefined;
  return JSON.parse(env.SLUICE_LOCAL) as LocalMode & { startedAt: number };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function within<Value>(work: Promise<Value>, timeoutMs: number): Promise<Value | "timeout"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<"timeout">((resolve) => {
    timer = setTimeout(() => resolve("timeout"), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function log(message: string, fields: Readonly<Record<string, unknown>>): void {
  console.log(logLine(message, fields));
}
