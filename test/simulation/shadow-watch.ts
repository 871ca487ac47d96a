/** What shadow rules must leave behind: nothing that is delivered, and of each event that they want one record, as it was made. */
import type { AcceptAnswer, AcceptRequest, ListedEvent, ShadowMatch } from "../../src/bus/ports.ts";
import { eventView } from "../../src/core/event.ts";
import type { RuleSet } from "../../src/core/rule-set.ts";
import type { PartitionHost } from "./partition-host.ts";
import type { Setting } from "./setting.ts";

/** A target that only rules name which are never live. */
export const UNHEARD = "unheard";

export interface ShadowWatch {
  /** A commit, and the rules of who asked for it. */
  readonly accepted: (host: PartitionHost, request: AcceptRequest, reply: AcceptAnswer, ruleSet: RuleSet) => void;
  /** What is wrong with the record of a stored event. */
  readonly problems: (host: PartitionHost, event: ListedEvent) => readonly string[];
}

export function openShadowWatch({ violations, count }: Setting): ShadowWatch {
  /** By partition and number: the rules that wanted the event when it was accepted. */
  const expected = new Map<string, readonly string[]>();

  return {
    accepted(host, request, reply, ruleSet) {
      if (reply.kind !== "accepted") return;
      for (const [index, { status, seq }] of reply.items.entries()) {
        const item = request.items[index];
        const place = `${host.name} ${seq}`;
        // An accept that is tried again has the same answer.
        if (item === undefined || status !== "accepted" || expected.has(place)) continue;
        const { attributes, body, bus } = item.event;
        const rules = ruleSet
          .matchShadow(bus, eventView({ attributes, body }))
          .map(({ definition }) => definition.path);
        expected.set(place, rules);
        count("shadowed", rules.length);
        for (const { id, rule } of item.deliveries) {
          if (ruleSet.rule(rule)?.definition.mode !== "live") violations.push(`${id} is planned for a shadow rule`);
        }
      }
    },

    problems(host, { seq, event: { attributes } }) {
      const rules = expected.get(`${host.name} ${seq}`);
      const shadow = host.engine().get(seq)?.event.shadow ?? [];
      const found = shadow.map(({ rule }) => rule).join(", ");
      if (rules === undefined || found !== rules.join(", ")) {
        return [
          `${attributes.id} has records of ${found || "no shadow rule"}, and was matched by ${rules?.join(", ")}`,
        ];
      }
      const wrong = shadow.filter((match) => !isAsMade(match, attributes.id));
      return wrong.map((match) => `${attributes.id} has the record ${JSON.stringify(match)}`);
    },
  };
}

/** The rules of `rules.ts` end in what they do. */
function isAsMade({ rule, output, problem }: ShadowMatch, id: string): boolean {
  if (rule.endsWith("/flawed")) return output === undefined && problem !== undefined;
  if (rule.endsWith("/shade")) return output === JSON.stringify({ id }) && problem === undefined;
  return output === undefined && problem === undefined;
}
