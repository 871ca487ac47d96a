/** The JSON Schema of a pattern (draft-07): it refers to itself, so it comes as definitions that a whole schema takes in. */
import { listSchema, matcherSchema } from "./alternative.ts";
import type { JsonObject } from "./result.ts";

/** What a member named `pattern` says. */
export const PATTERN_REFERENCE: JsonObject = { $ref: "#/definitions/pattern" };

/** Attributes of CloudEvents 1.0.2, section 3.1, that editors offer; a pattern may name any others. */
const ATTRIBUTES = {
  source: "Who sent the event, such as https://api.github.com/repos/acme/shop.",
  subject: "What the event is about, in the words of its source: a branch, the number of an issue.",
  id: "The event's identifier, its own within its source.",
  time: "When it happened, as a timestamp such as 2026-10-29T08:00:00Z.",
  datacontenttype: "The media type of the data, such as application/json.",
} as const;

const FIELDS: JsonObject = { minProperties: 1, additionalProperties: { $ref: "#/definitions/field" } };

/**
 * Definitions for a schema's root; `PATTERN_REFERENCE` refers to them. `eventTypes` are types that editors offer, any other
 * type is as good. Not said: how deep a pattern may nest, how many branches it has and that a field is named once.
 */
export function patternDefinitions(eventTypes: readonly string[]): JsonObject {
  const attributes = Object.entries(ATTRIBUTES).map(([name, description]) => [name, fieldSchema("value", description)]);
  return {
    pattern: {
      description:
        "Which events the rule wants: for each field, the list of values it accepts, such as type: [com.github.push]. " +
        "All fields have to be met, each by one of its values.",
      type: "object",
      ...FIELDS,
      properties: {
        $or: orSchema("pattern"),
        type: fieldSchema("type", "What happened, such as com.github.pull_request.opened."),
        ...Object.fromEntries(attributes),
        data: fieldSchema("value", "Fields of the payload, such as data: { ref: [refs/heads/main] }."),
      },
    },
    fields: { type: "object", ...FIELDS, properties: { $or: orSchema("fields") } },
    field: fieldSchema(
      "value",
      "The values that this field may have, as a list; or an object with the fields below it.",
    ),
    value: valueSchema(),
    // The second alternative refuses nothing: editors complete the first and take any other.
    type: { ...valueSchema(), anyOf: [{ enum: eventTypes }, {}] },
  };
}

function orSchema(definition: "pattern" | "fields"): JsonObject {
  return {
    description: "At least one of these patterns has to be met, besides the fields next to it.",
    type: "array",
    items: { $ref: `#/definitions/${definition}` },
    minItems: 2,
  };
}

// What is said of lists holds for lists only, and so for objects: one schema takes both, and an editor shows the mistake in a
// list instead of saying that the list is no object.

function fieldSchema(value: "value" | "type", description: string): JsonObject {
  return {
    description,
    type: ["array", "object"],
    ...listSchema({ $ref: `#/definitions/${value}` }),
    ...FIELDS,
    properties: { $or: orSchema("fields") },
  };
}

function valueSchema(): JsonObject {
  return { ...matcherSchema(), type: ["string", "number", "boolean", "null", "object"] };
}
