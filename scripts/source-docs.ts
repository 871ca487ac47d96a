/**
 * The generated parts of docs/sources.md: what stands between `<!-- <name>: written by npm run generate -->` and `<!-- end of <name> -->`
 * comes from the descriptions of the vendors and their recorded webhooks; the rest of the page is written by hand.
 */
import type { AnySource, Registry } from "../src/core/rule-set.ts";
import type { SignatureAlgorithm, SignatureScheme, ValuePlace } from "../src/core/signature-scheme.ts";
import { TOLERANCE_DEFAULT_MS } from "../src/core/signature-scheme.ts";
import type { ReceivedEvent } from "../src/core/source.ts";
import type { WebhookDescription } from "../src/sources/_webhook-source.ts";
import { SOURCE_PAGES } from "./source-pages.ts";
import { SOURCE_SETUP } from "./source-setup.ts";
import type { Vectors } from "./source-vectors.ts";
import { firstEvent, handshakes, identityOf, readVectors } from "./source-vectors.ts";

const ACCEPTED_STATUS = 202;
const REFUSED_STATUS = 401;

interface Vendor {
  readonly description: WebhookDescription;
  readonly vectors: Vectors | undefined;
  readonly example: ReceivedEvent | undefined;
}

/** The page with its generated parts as they should be. Throws where a mark is missing. */
export async function renderSourceDocs(page: string, { sources }: Registry): Promise<string> {
  const vendors = await Promise.all(Object.values(sources).flatMap(describedIn).map(readVendor));
  const parts = { "table of vendors": table(vendors), vendors: vendors.map(section).join("\n\n") };
  return Object.entries(parts).reduce((text, [name, part]) => replacePart(text, name, part), page);
}

function describedIn(source: AnySource): readonly (AnySource & { readonly description: WebhookDescription })[] {
  return "description" in source ? [source as AnySource & { readonly description: WebhookDescription }] : [];
}

async function readVendor(source: AnySource & { readonly description: WebhookDescription }): Promise<Vendor> {
  const vectors = await readVectors(source.kind);
  const example = vectors === undefined ? undefined : firstEvent(source, vectors);
  return { description: source.description, vectors, example };
}

function replacePart(page: string, name: string, part: string): string {
  const [begin, end] = [`<!-- ${name}: written by npm run generate -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`docs/sources.md: expected the lines ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${part}\n\n${page.slice(to)}`;
}

function table(vendors: readonly Vendor[]): string {
  const head = [
    "kind",
    "vendor",
    "signature",
    "algorithm",
    "what is signed",
    "how old",
    "id",
    "handshake",
    "answers",
    "vectors",
  ];
  const rows = vendors.map(row);
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function row({ description, vectors, example }: Vendor): readonly string[] {
  const { kind, vendor, signature, otherSignature, answer, unauthenticatedStatus } = description;
  const schemes = [signature, ...(otherSignature === undefined ? [] : [otherSignature.scheme])];
  const each = (text: (scheme: SignatureScheme) => string) => [...new Set(schemes.map(text))].join(", or ");
  const asked = vectors === undefined ? [] : handshakes(vectors);
  return [
    `[\`${kind}\`](#${kind})`,
    `[${vendor}](${SOURCE_PAGES[kind] ?? ""})`,
    each(placesText),
    each(algorithmText),
    each(contentText),
    each(ageText),
    example === undefined || vectors === undefined ? "" : identityOf(example, vectors),
    asked.join(", "),
    `${answer?.status ?? ACCEPTED_STATUS}, ${unauthenticatedStatus ?? REFUSED_STATUS}`,
    vectors === undefined ? "" : `[${VECTORS_TEXT[vectors.vectors]}](${vectors.from})`,
  ];
}

const VECTORS_TEXT: Readonly<Record<Vectors["vectors"], string>> = {
  published: "published",
  sdk: "the vendor's SDK",
  scheme: "computed from the page",
};

const ALGORITHMS: Readonly<Record<SignatureAlgorithm, string>> = {
  "hmac-sha1": "HMAC-SHA1",
  "hmac-sha256": "HMAC-SHA256",
  "hmac-sha512": "HMAC-SHA512",
  ed25519: "Ed25519",
  "ecdsa-p256": "ECDSA P-256",
  token: "token",
};

function algorithmText({ algorithm, encoding, prefix = "" }: SignatureScheme): string {
  if (algorithm === "token") return prefix.trim() === "Basic" ? "name and password" : "token";
  const before = prefix === "" ? "" : ` after \`${prefix}\``;
  return `${ALGORITHMS[algorithm]}, ${encoding}${before}`;
}

/** `{timestamp}.{body}` as `timestamp` + `.` + body. */
function contentText({ algorithm, content }: SignatureScheme): string {
  if (algorithm === "token") return "nothing";
  const words = content.split(/(\{[^}]+\})/).flatMap((part) => {
    if (part === "") return [];
    if (!part.startsWith("{")) return [`\`${part}\``];
    return [WORDS[part] ?? `the ${part.slice(1, -1)}`];
  });
  return words.join(" + ");
}

const WORDS: Readonly<Record<string, string>> = {
  "{body}": "the body",
  "{url}": "the address",
  "{method}": "the method",
  "{timestamp}": "the time",
  "{urlDecoded}": "the address, decoded",
  "{urlAndForm}": "the address and the form's fields",
  "{escapedBody}": "the body, escaped",
};

/** `90 s`, `5 min`, `25 h`: the largest unit that is whole. */
function durationText(durationMs: number): string {
  const [ms, unit] = (
    [
      [3_600_000, "h"],
      [60_000, "min"],
    ] as const
  ).find(([each]) => durationMs % each === 0) ?? [1_000, "s"];
  return `${durationMs / ms} ${unit}`;
}

function ageText({ timestamp }: SignatureScheme): string {
  return timestamp === undefined ? "any" : durationText(timestamp.toleranceMs ?? TOLERANCE_DEFAULT_MS);
}

function placesText({ signature, rotated }: SignatureScheme): string {
  return placeText(signature) + (rotated === undefined ? "" : `, \`${rotated.header}\``);
}

function placeText(place: ValuePlace): string {
  if ("query" in place) return `\`?${place.query}=\``;
  if ("path" in place) return `\`${place.path}\` in the body`;
  return place.part === undefined ? `\`${place.header}\`` : `\`${place.header}\`, \`${place.part}=\``;
}

function section({ description, vectors, example }: Vendor): string {
  const { kind, vendor } = description;
  const lines = [
    `### ${kind}`,
    "",
    `${vendor}. ${SOURCE_SETUP[kind] ?? ""}`.trimEnd(),
    "",
    "```yaml",
    "# rules/sources.yaml",
    `${kind}: ${entryText(description)}`,
    "```",
  ];
  if (example !== undefined) {
    const { type, source, subject } = example.event.attributes;
    const about = subject === undefined ? "" : `, \`subject\` \`${subject}\``;
    lines.push("", `An event: \`type\` \`${type}\`, \`source\` \`${source}\`${about}.`);
  }
  if (vectors !== undefined) {
    const note = vectors.note === undefined ? "" : ` ${vectors.note}`;
    lines.push(
      "",
      `Recorded requests: [${kind}.json](../test/conformance/webhooks/${kind}.json), ${VECTORS_TEXT[vectors.vectors]}.${note}`,
    );
  }
  return lines.join("\n");
}

function entryText({ kind, signature, otherSecret }: WebhookDescription): string {
  const name = kind.toUpperCase().replaceAll("-", "_");
  const more = otherSecret === undefined ? "" : `, ${otherSecret.key}: ${name}_${upper(otherSecret.key)}`;
  return `{ kind: ${kind}, secrets: [${name}_${secretWord(signature)}]${more} }`;
}

function upper(key: string): string {
  return key.toUpperCase().replaceAll("-", "_");
}

function secretWord({ algorithm, prefix = "" }: SignatureScheme): string {
  if (algorithm === "ed25519" || algorithm === "ecdsa-p256") return "PUBLIC_KEY";
  if (algorithm !== "token") return "WEBHOOK_SECRET";
  return prefix.trim() === "Basic" ? "CREDENTIALS" : "WEBHOOK_TOKEN";
}
