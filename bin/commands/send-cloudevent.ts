/** `sluice send cloudevent`: a CloudEvent in binary mode, made by the official SDK. */
import { randomUUID } from "node:crypto";
import { CloudEvent, HTTP } from "cloudevents";
import { decodeUtf8 } from "../../src/core/event.ts";
import { parseJson } from "../../src/core/json.ts";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import { request } from "../admin-client.ts";
import type { ExitCode, Failure } from "../failure.ts";
import { readInputFile } from "../json-file.ts";
import { showReceipt } from "../receipt.ts";
import { describeJsonProblem } from "../request-line.ts";
import { findSourceSecret } from "../source-entry.ts";
import type { Terminal } from "../terminal.ts";

export interface SendCloudEventOptions {
  readonly to: string;
  readonly rules: string;
  readonly source: string;
  readonly type: string;
  readonly sourceAttr: string;
  readonly json?: boolean;
  readonly id?: string;
  readonly subject?: string;
  readonly data?: string;
  readonly file?: string;
  readonly secretName?: string;
}

const DATA_DEFAULT = '{"order":1,"total":9.5}';
/** The source that `POST /events` belongs to. */
const EVENTS_SOURCE = "events";

export async function sendCloudEvent(options: SendCloudEventOptions, terminal: Terminal): Promise<ExitCode> {
  const data = await chooseData(options);
  if (!data.ok) return terminal.fail(data.error);
  const token = await findSourceSecret({ ...options, kind: "cloudevents" }, terminal.env);
  if (!token.ok) return terminal.fail(token.error);
  const headers = binaryHeaders(options, data.value);
  if (!headers.ok) return terminal.fail(headers.error);
  const authorization = token.value === undefined ? {} : { authorization: `Bearer ${token.value}` };
  const path = options.source === EVENTS_SOURCE ? "/events" : `/webhooks/${options.source}`;
  const init = { method: "POST", headers: { ...headers.value, ...authorization }, body: data.value };
  return showReceipt(await request(options.to + path, init), options, terminal);
}

async function chooseData({ data, file }: SendCloudEventOptions): Promise<Result<string, Failure>> {
  if (data !== undefined && file !== undefined)
    return err({ message: "give --data or --file, not both", isUsage: true });
  let text = data ?? DATA_DEFAULT;
  if (file !== undefined) {
    const bytes = await readInputFile("--file", file);
    if (!bytes.ok) return bytes;
    const decoded = decodeUtf8(bytes.value);
    if (decoded === null) return err({ message: `--file: ${file} is not UTF-8 text` });
    text = decoded;
  }
  const json = parseJson(text);
  if (json.ok) return ok(text);
  const option = file === undefined ? "--data" : `--file ${file}`;
  return err({ message: `${option}: ${describeJsonProblem(json.error)}`, isUsage: file === undefined });
}

function binaryHeaders(options: SendCloudEventOptions, data: string): Result<Record<string, string>, Failure> {
  const { id = randomUUID(), type, sourceAttr, subject } = options;
  const attributes = { id, type, source: sourceAttr, datacontenttype: "application/json", data };
  try {
    const message = HTTP.binary(new CloudEvent(subject === undefined ? attributes : { ...attributes, subject }));
    const headers = Object.entries(message.headers).map(([name, value]) => [name, encodeValue(name, String(value))]);
    return ok(Object.fromEntries(headers) as Record<string, string>);
  } catch (error) {
    return err({
      message: `this is no CloudEvent: ${error instanceof Error ? error.message : String(error)}`,
      isUsage: true,
    });
  }
}

/** HTTP binding 1.0.2, section 3.1.3.2: what a header can't hold, the quote and the percent sign are percent-encoded. */
function encodeValue(name: string, value: string): string {
  if (!name.startsWith("ce-")) return value;
  return value.replaceAll(/[^\x21\x23\x24\x26-\x7e]/gu, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}
