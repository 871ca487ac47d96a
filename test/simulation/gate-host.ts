/** A target's gate on simulated hardware: the real engine behind a network that loses calls. */
import type { GatePort } from "../../src/bus/gate-ports.ts";
import type { GateEngine } from "../../src/objects/gate-engine.ts";
import { openGateEngine } from "../../src/objects/gate-engine.ts";
import type { GateWatch } from "./gate-watch.ts";
import type { ObjectHost } from "./object-host.ts";
import { openObjectHost } from "./object-host.ts";
import type { Setting } from "./setting.ts";

export type GateHost = ObjectHost<GateEngine>;

export function openGateHost(target: string, setting: Setting): GateHost {
  const random = setting.chance.next;
  return openObjectHost<GateEngine>(`gate ${target}`, setting, {
    boot: ({ sql, now }) => openGateEngine({ sql, now, random }),
  });
}

/** `GatePort` over the network. A pause or resume that arrives again much later would be another person's. */
export function gatePortOf(host: GateHost, watch: GateWatch): GatePort {
  return {
    acquire: (request) =>
      host.call("acquire", (engine) => engine.acquire(request), {
        committed: (reply) => watch.acquired(request, reply),
      }),
    finish: (token, result, target) =>
      host.call("finish", (engine) => engine.finish(token, result, target), { committed: watch.heard }),
    report: (record) => host.call("report", (engine) => engine.report(record), { committed: watch.heard }),
    pause: (target, reason) =>
      host.call("pause", (engine) => engine.pause(target, reason), { committed: watch.heard, repeats: false }),
    resume: (target) =>
      host.call("resume", (engine) => engine.resume(target), { committed: watch.heard, repeats: false }),
    status: (target) => host.call("status", (engine) => engine.status(target)),
  };
}
