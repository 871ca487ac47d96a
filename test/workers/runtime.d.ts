/// <reference types="@cloudflare/vitest-plugin/types" />
import type * as Worker from "../../src/index.ts";

declare global {
  /** What `cloudflare:workers` offers to the tests: the Worker under test and its bindings, test secrets included. */
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof Worker;
      durableNamespaces: "Partition" | "Gate";
    }
    interface Env {
      readonly PARTITION: DurableObjectNamespace<Worker.Partition>;
      readonly GATE: DurableObjectNamespace<Worker.Gate>;
      readonly BODIES: R2Bucket;
      readonly GITHUB_WEBHOOK_SECRET: string;
      readonly INGEST_TOKEN: string;
      readonly ADMIN_TOKEN: string;
      readonly PRINTER_SIGNING_SECRET: string;
      readonly CI_SIGNING_SECRET: string;
    }
  }
}
