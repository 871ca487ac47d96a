/**
 * The body store: an R2 bucket (the binding BODIES) for payloads that are too large for a partition, and for what messages only
 * refer to. Everything in it belongs to an event that a partition knows, or ends by its age.
 */
export interface BodyStore {
  /** Stores a body under a key that only ever gets this one, so that doing it again changes nothing. */
  readonly put: (key: string, body: Uint8Array, contentType: string | undefined) => Promise<void>;
  /** Begins a body whose parts come one by one; nobody sees it before it is completed. */
  readonly begin: (key: string, contentType: string | undefined) => Promise<BodyUpload>;
  /** `range` in bytes from the start. Null when there is nothing under the key. */
  readonly read: (key: string, range?: BodyRange) => Promise<StoredBody | null>;
  readonly list: (prefix: string, cursor: string | undefined, limit: number) => Promise<BodyPage>;
  readonly remove: (keys: readonly string[]) => Promise<void>;
}

export interface BodyUpload {
  /** Parts in their order. All but the last have the same size, at least 5 MiB (R2, multipart upload limits). */
  readonly part: (bytes: Uint8Array) => Promise<void>;
  readonly complete: () => Promise<void>;
  readonly abort: () => Promise<void>;
}

export interface BodyRange {
  readonly offset: number;
  readonly length?: number;
}

export interface StoredBody {
  readonly bytes: number;
  readonly contentType: string | undefined;
  readonly etag: string;
  readonly body: ReadableStream<Uint8Array>;
}

export interface BodyPage {
  readonly found: readonly { readonly key: string; readonly uploadedAt: number }[];
  /** Undefined at the end. */
  readonly cursor: string | undefined;
}
