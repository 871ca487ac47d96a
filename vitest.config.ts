/**
 * Three projects: `node` for everything that runs in plain Node; `workers` for test/workers, which runs inside workerd with the
 * bindings of wrangler.toml; `simulation` for test/simulation, which keeps all cores busy and so runs by itself, after the
 * others. A file in test/workers costs about a second and has storage of its own: few, big files, and a name of its own for
 * every object that a test uses.
 */
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const WORKERS_TESTS = "test/workers/**/*.test.ts";
const SIMULATION_TESTS = "test/simulation/**/*.test.ts";

/** Made up; the rule files name these secrets, and tests sign and authenticate with them. */
const TEST_SECRETS = {
  GITHUB_WEBHOOK_SECRET: "github-secret-for-tests",
  INGEST_TOKEN: "ingest-token-for-tests",
  ADMIN_TOKEN: "admin-token-for-tests",
  PRINTER_SIGNING_SECRET: "whsec_cHJpbnRlci1zZWNyZXQtZm9yLXRlc3Rz",
  CI_SIGNING_SECRET: "whsec_Y2ktc2VjcmV0LWZvci10ZXN0cw==",
  SECURITY_SIGNING_SECRET: "whsec_c2VjdXJpdHktc2VjcmV0LWZvci10ZXN0cw==",
  AUDIT_SIGNING_SECRET: "whsec_YXVkaXQtc2VjcmV0LWZvci10ZXN0cw==",
  CHAT_AUTHORIZATION: "chat-authorization-for-tests",
  WEBSITE_AUTHORIZATION: "website-authorization-for-tests",
};

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/closing-line.ts"],
    projects: [
      {
        test: {
          name: "node",
          environment: "node",
          include: ["test/**/*.test.ts"],
          exclude: [WORKERS_TESTS, SIMULATION_TESTS],
          testTimeout: 10_000,
          hookTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "simulation",
          environment: "node",
          include: [SIMULATION_TESTS],
          testTimeout: 10_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [
          cloudflareTest({ wrangler: { configPath: "./wrangler.toml" }, miniflare: { bindings: TEST_SECRETS } }),
        ],
        test: {
          name: "workers",
          include: [WORKERS_TESTS],
          testTimeout: 10_000,
          hookTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
    ],
  },
});
