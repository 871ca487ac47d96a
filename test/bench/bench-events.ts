/**
 * Signed GitHub webhooks as ready bytes. Templates are GitHub's own examples of about 10 kB; each event has its own delivery id
 * and a number in its body, so that no two are the same, and comes from one of 64 repositories. What costs time, the signature,
 * is computed beforehand.
 */
import { createHmac } from "node:crypto";
import { githubExamples } from "../support/github-examples.ts";

export const BODY_BYTES = { min: 8_000, max: 12_500 };
const REPOSITORIES = 64;
const FIRST_REPOSITORY = 100_000_001;
/** Stand in the templates for what changes, in its length. */
const NUMBER_MARK = "00000000000000000000";
const REPOSITORY_MARK = 987_654_321;
const SIGNATURE_MARK = "0".repeat(64);
const ID_MARK = "f".repeat(36);

export interface EventTemplate {
  readonly event: string;
  readonly body: Buffer;
  readonly numberAt: readonly number[];
  readonly repositoryAt: readonly number[];
}

/** Examples of about 10 kB that name a repository. */
export function eventTemplates(): readonly EventTemplate[] {
  return githubExamples().flatMap(({ event, body }) => {
    const payload = JSON.parse(body) as Record<string, unknown>;
    const repository = payload["repository"];
    if (typeof repository !== "object" || repository === null) return [];
    const changed = { ...payload, repository: { ...repository, id: REPOSITORY_MARK }, bench: NUMBER_MARK };
    const bytes = Buffer.from(JSON.stringify(changed));
    if (bytes.length < BODY_BYTES.min || bytes.length > BODY_BYTES.max) return [];
    return [
      {
        event,
        body: bytes,
        numberAt: placesOf(bytes, NUMBER_MARK),
        repositoryAt: placesOf(bytes, String(REPOSITORY_MARK)),
      },
    ];
  });
}

function placesOf(bytes: Buffer, text: string): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1)) places.push(at);
  return places;
}

/** The body of event `n`, into `target` at `offset`. */
export function writeBody(
  { body, numberAt, repositoryAt }: EventTemplate,
  n: number,
  target: Buffer,
  offset = 0,
): void {
  body.copy(target, offset);
  const number = String(n).padStart(NUMBER_MARK.length, "0");
  const repository = String(FIRST_REPOSITORY + (n % REPOSITORIES));
  for (const at of numberAt) target.write(number, offset + at, "latin1");
  for (const at of repositoryAt) target.write(repository, offset + at, "latin1");
}

export interface EventWriter {
  /** Bytes that the longest request takes. */
  readonly bytesMax: number;
  /** Writes the whole request of event `n` and answers its length. */
  readonly write: (n: number, target: Buffer) => number;
}

/** Ready to write events `first` to `first + count - 1` to `host`; computes their signatures. */
export function createEventWriter(options: {
  readonly host: string;
  readonly path: string;
  readonly secret: string;
  readonly first: number;
  readonly count: number;
  /** A name of the run, so that no two runs use the same delivery ids. */
  readonly run: string;
}): EventWriter {
  const { host, path, secret, first, count, run } = options;
  const templates = eventTemplates();
  const heads = templates.map(({ event, body }) => {
    const head = Buffer.from(
      [
        `POST ${path} HTTP/1.1`,
        `host: ${host}`,
        "content-type: application/json",
        `content-length: ${body.length}`,
        "user-agent: GitHub-Hookshot/0000000",
        "accept: */*",
        `x-github-event: ${event}`,
        `x-github-delivery: ${ID_MARK}`,
        "x-github-hook-id: 1",
        `x-hub-signature-256: sha256=${SIGNATURE_MARK}`,
        "",
        "",
      ].join("\r\n"),
    );
    return { head, idAt: head.indexOf(ID_MARK), signatureAt: head.indexOf(SIGNATURE_MARK) };
  });
  const signatures = Buffer.alloc(count * SIGNATURE_MARK.length);
  const scratch = Buffer.alloc(BODY_BYTES.max);
  for (let index = 0; index < count; index += 1) {
    const template = at(templates, (first + index) % templates.length);
    writeBody(template, first + index, scratch);
    const hex = createHmac("sha256", secret).update(scratch.subarray(0, template.body.length)).digest("hex");
    signatures.write(hex, index * SIGNATURE_MARK.length, "latin1");
  }
  return {
    bytesMax: Math.max(...templates.map(({ body }, index) => body.length + at(heads, index).head.length)),
    write(n, target) {
      const which = n % templates.length;
      const template = at(templates, which);
      const { head, idAt, signatureAt } = at(heads, which);
      head.copy(target);
      target.write(deliveryId(run, n), idAt, "latin1");
      const from = (n - first) * SIGNATURE_MARK.length;
      signatures.copy(target, signatureAt, from, from + SIGNATURE_MARK.length);
      writeBody(template, n, target, head.length);
      return head.length + template.body.length;
    },
  };
}

/** 36 characters, as GitHub's. */
export function deliveryId(run: string, n: number): string {
  return `${run}-${String(n).padStart(ID_MARK.length - run.length - 1, "0")}`;
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`no item ${index} of ${items.length}`);
  return item;
}
