/** `sluice sources`: who may send to a router, and when each secret was last of use. */
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import { answerAs, shortTime } from "../shown-delivery.ts";
import { tableLines } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

export interface SourcesOptions {
  readonly to: string;
  readonly json?: boolean;
}

interface ShownSource {
  readonly name: string;
  readonly kind: string;
  readonly bus: string;
  readonly paths: readonly string[];
  /** Anyone may send. */
  readonly open: boolean;
  readonly secrets: readonly ShownSecret[];
}

interface ShownSecret {
  readonly name: string;
  readonly set: boolean;
  readonly lastVerifiedAt: string | null;
}

/** A line of the table: each secret has its own, and a source without any has one. */
interface Row {
  readonly source: ShownSource;
  readonly isFirst: boolean;
  readonly secret: ShownSecret | undefined;
}

export async function sources({ to, json }: SourcesOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connectAdmin(to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.get("/sources");
  if (!answer.ok) return terminal.fail(answer.error);
  if (json === true) {
    terminal.print(JSON.stringify(answer.value));
    return EXIT_OK;
  }
  const shown = answerAs<{ readonly sources: readonly ShownSource[] }>(answer.value).sources;
  if (shown.length === 0) {
    terminal.say("There are no sources.");
    return EXIT_OK;
  }
  const rows = shown.flatMap((source): readonly Row[] =>
    source.secrets.length === 0
      ? [{ source, isFirst: true, secret: undefined }]
      : source.secrets.map((secret, index) => ({ source, isFirst: index === 0, secret })),
  );
  const ofSource = (value: (source: ShownSource) => string) => (row: Row) => (row.isFirst ? value(row.source) : "");
  const lines = tableLines(
    rows,
    [
      { title: "SOURCE", value: ofSource(({ name }) => name) },
      { title: "KIND", value: ofSource(({ kind }) => kind) },
      { title: "BUS", value: ofSource(({ bus }) => bus) },
      { title: "ADDRESS", value: ofSource(({ paths }) => paths.join(", ")) },
      { title: "SECRET", value: ({ secret }) => secret?.name ?? "-" },
      { title: "LAST VERIFIED (UTC)", value: describeUse },
    ],
    terminal,
  );
  for (const line of lines) terminal.print(line);
  for (const note of notesOn(shown)) terminal.say(note);
  terminal.say(
    terminal.tint(
      "dim",
      "To rotate a secret: name the new one beside the old one, deploy, give it to the sender; remove the old one when its time stands still and the new one's goes on.",
    ),
  );
  return EXIT_OK;
}

function describeUse({ source, secret }: Row): string {
  if (secret === undefined) return source.open ? "anyone may send" : "-";
  const when = secret.lastVerifiedAt === null ? "never" : shortTime(secret.lastVerifiedAt);
  if (secret.set) return when;
  return secret.lastVerifiedAt === null ? "not set" : `not set; ${when}`;
}

function notesOn(shown: readonly ShownSource[]): readonly string[] {
  return shown.flatMap(({ name, secrets }) => [
    ...secrets
      .filter(({ set }) => !set)
      .map((secret) =>
        printable(
          `${secret.name} of ${name} is not set: npx wrangler secret put ${secret.name}, or a line in .dev.vars for a local run.`,
        ),
      ),
    ...secrets
      .filter((secret) => secret.set && secret.lastVerifiedAt === null)
      .map((secret) => printable(`${secret.name} of ${name} has never verified a request.`)),
  ]);
}
