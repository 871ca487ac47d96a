/** What the rules do with an event: for each rule why it matched or not, and each delivery as it would be sent. */
import type { CloudEvent } from "./event.ts";
import { eventView, toBase64 } from "./event.ts";
import type { MatchExplanation } from "./explain-match.ts";
import { explainMatch } from "./explain-match.ts";
import type { EventPaths } from "./explain-paths.ts";
import { eventPaths } from "./explain-paths.ts";
import { hopsProblem } from "./hops.ts";
import { checkedPattern } from "./checked-pattern.ts";
import type { PatternTracer } from "./pattern-trace.ts";
import { compileTracer } from "./pattern-trace.ts";
import type { JsonObject } from "./result.ts";
import { ok } from "./result.ts";
import type { CompiledRule, RuleSet } from "./rule-set.ts";
import type { RuleMode } from "./rule.ts";
import { toShipment } from "./shipment.ts";
import type { LargeBody, LocalMode, Preview } from "./target.ts";
import { wantedByTransform } from "./wanted-paths.ts";

/** Bodies in one explanation, together; what comes after it is told without its body. */
export const BODIES_BYTES_MAX = 8 * 1_024 * 1_024;

/** Stands for the id of a delivery that is none yet. */
export const DELIVERY_ID_PLACEHOLDER = "<delivery id>";

export interface ExplainedEvent {
  readonly event: CloudEvent;
  /** Whose rules are told; null for those of every bus. */
  readonly bus: string | null;
  readonly rawHeaders: Readonly<Record<string, string>>;
  /** Its payload stands in the body store; `view` is then what rules name of it, and `event` has no body. */
  readonly large?: { readonly body: LargeBody; readonly view: JsonObject };
  /** When it was or would be accepted, in milliseconds. */
  readonly acceptedAt: number;
  /** Of an event that was accepted. */
  readonly receipt?: string;
  /** The ids of its deliveries, as far as there are any. */
  readonly deliveryId?: (rule: string, target: string) => string | undefined;
}

export interface ExplainOptions {
  readonly local: LocalMode | undefined;
  /** Only the rule with this path. */
  readonly rule?: string;
}

/** Plain data, as `GET /api/explain/:id` and `sluice explain --json` give it. */
export interface Explanation {
  readonly receipt?: string;
  readonly bus: string | null;
  readonly event: { readonly id: string; readonly source: string; readonly type: string };
  /** In the order of their paths. */
  readonly rules: readonly ExplainedRule[];
}

export type ExplainedRule = MatchExplanation & {
  readonly rule: string;
  readonly mode: RuleMode;
  /**
   * One for each target of a rule that matched, as it would be sent if the rule were live; only those of live rules are. None
   * for a rule that is off.
   */
  readonly deliveries: readonly ExplainedDelivery[];
};

export interface ExplainedDelivery {
  readonly target: string;
  readonly kind: string;
  /** `<delivery id>` where it has none. */
  readonly delivery: string;
  /** Absent when the rule's transform failed. */
  readonly request?: ExplainedRequest;
  /** Why nothing would reach the target: the transform failed, or the request can't be sent. */
  readonly problem?: string;
}

/** A `Preview` with its body as text, or in Base64 where it is not UTF-8; neither when there is none or it is left out. */
export interface ExplainedRequest extends Pick<Preview, "action" | "method" | "url" | "headers"> {
  readonly bodyBytes: number;
  readonly body?: string;
  readonly bodyBase64?: string;
  /** The bodies before it have taken up `BODIES_BYTES_MAX`, or it is a large payload and stands in the body store. */
  readonly bodyLeftOut?: true;
}

/** Explains an event by the rules of its bus. Never throws for what the event holds. */
export async function explainEvent(
  ruleSet: RuleSet,
  explained: ExplainedEvent,
  options: ExplainOptions,
): Promise<Explanation> {
  const { bus, receipt } = explained;
  const { id, source, type } = explained.event.attributes;
  const paths = eventPaths(explained.large?.view ?? eventView(explained.event));
  const wanted = ruleSet.rules.filter(
    ({ definition }) =>
      (bus === null || definition.bus === bus) && (options.rule === undefined || definition.path === options.rule),
  );
  const room = { bytes: BODIES_BYTES_MAX };
  const rules: ExplainedRule[] = [];
  for (const rule of wanted) {
    const { path, mode } = rule.definition;
    const match = explainMatch(tracerOf(rule), paths);
    // One after another: transforms may need the memory that the platform gives to one.
    const deliveries = match.matched && mode !== "off" ? await explainDeliveries(rule) : [];
    rules.push({ rule: path, mode, ...match, deliveries });
  }
  return { ...(receipt === undefined ? {} : { receipt }), bus, event: { id, source, type }, rules };

  async function explainDeliveries(rule: CompiledRule): Promise<readonly ExplainedDelivery[]> {
    const deliveries: ExplainedDelivery[] = [];
    for (const target of rule.definition.targets) {
      deliveries.push(await explainDelivery({ ruleSet, rule, target, explained, paths, local: options.local, room }));
    }
    return deliveries;
  }
}

interface DeliveryQuestion {
  readonly ruleSet: RuleSet;
  readonly rule: CompiledRule;
  readonly target: string;
  readonly explained: ExplainedEvent;
  readonly paths: EventPaths;
  readonly local: LocalMode | undefined;
  /** What is left for bodies. */
  readonly room: { bytes: number };
}

async function explainDelivery(question: DeliveryQuestion): Promise<ExplainedDelivery> {
  const { ruleSet, rule, target: name, explained, paths, local, room } = question;
  const target = ruleSet.target(name);
  if (target === undefined) throw new Error(`rule ${rule.definition.path}: there is no target ${name}`);
  const { event, rawHeaders, acceptedAt, large } = explained;
  const deliveryId = explained.deliveryId?.(rule.definition.path, name) ?? DELIVERY_ID_PLACEHOLDER;
  const base = { target: name, kind: target.definition.kind, delivery: deliveryId };
  const view = () => paths.view;
  const readable = large === undefined || rule.transform === undefined ? ok([]) : wantedByTransform(rule.transform);
  if (!readable.ok) return { ...base, problem: `the payload is large: ${readable.error}` };
  const parts = { event, view, deliveryId, attempt: 1, rawHeaders, acceptedAt };
  const shipped = await toShipment(rule, large === undefined ? parts : { ...parts, large: large.body });
  if (!shipped.ok) return { ...base, problem: `the transform fails: ${shipped.error.detail}` };
  const preview = target.target.preview(shipped.value, target.config, { local });
  const problem = hopsProblem(event.attributes) ?? preview.problem;
  return { ...base, request: showRequest(preview, room), ...(problem === undefined ? {} : { problem }) };
}

function showRequest(
  { action, method, url, headers, body, bodyBytes }: Preview,
  room: { bytes: number },
): ExplainedRequest {
  const base = {
    action,
    ...(method === undefined ? {} : { method }),
    ...(url === undefined ? {} : { url }),
    headers,
    bodyBytes: bodyBytes ?? body?.length ?? 0,
  };
  if (bodyBytes !== undefined) return { ...base, bodyLeftOut: true };
  if (body === null) return base;
  if (body.length > room.bytes) return { ...base, bodyLeftOut: true };
  room.bytes -= body.length;
  const text = exactText(body);
  return text === null ? { ...base, bodyBase64: toBase64(body) } : { ...base, body: text };
}

/** A byte order mark is sent, so it stays. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function exactText(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

/** Rules are explained for many events, and compiled for the first. */
const tracers = new WeakMap<CompiledRule, PatternTracer>();

function tracerOf(rule: CompiledRule): PatternTracer {
  const known = tracers.get(rule);
  if (known !== undefined) return known;
  const tracer = compileTracer(checkedPattern(rule.definition.pattern));
  tracers.set(rule, tracer);
  return tracer;
}
