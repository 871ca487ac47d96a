import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parse } from "smol-toml";
import { generate } from "../../scripts/generate.ts";
import { ownHostsOf } from "../../scripts/own-hosts.ts";
import { formatProblem } from "../../scripts/problem.ts";
import { hasErrors, readRules } from "../../scripts/rule-files.ts";

const CONFIG = `
name = "sluice"
routes = [
  "hooks.example.com/*",
  { pattern = "custom.example.com", custom_domain = true },
  "*.wild.example.com/*",
  "*open.example.net/*",
  "https://part.example.com/webhooks/*",
  "exact.example.com/events",
  "BÜCHER.example./*",
  { pattern = "*/*", zone_name = "zone.example" },
]
[vars]
PUBLIC_URL = "https://Public.Example.com:8443/x"
[env.staging]
route = "staging.example.com/*"
[env.staging.vars]
PUBLIC_URL = "staging-public.example.com"
[env.named]
name = "other-name"
`;

const { wayTo } = ownHostsOf(parse(CONFIG));

describe("this router's own hosts", () => {
  it.each([
    ["https://hooks.example.com/", "the route hooks.example.com/*"],
    ["https://HOOKS.Example.COM/events", "the route hooks.example.com/*"],
    ["https://hooks.example.com./webhooks/github", "the route hooks.example.com/*"],
    ["https://hooks.example.com:8443/x", "the route hooks.example.com/*"],
    ["https://ｈｏｏｋｓ.example.com/x", "the route hooks.example.com/*"],
    ["https://hooks%2eexample.com/x", "the route hooks.example.com/*"],
    ["https://custom.example.com/any/path", "the route custom.example.com"],
    ["https://a.wild.example.com/", "the route *.wild.example.com/*"],
    ["https://a.b.wild.example.com/", "the route *.wild.example.com/*"],
    ["https://open.example.net/", "the route *open.example.net/*"],
    ["https://an-open.example.net/", "the route *open.example.net/*"],
    ["https://part.example.com/webhooks/github", "the route https://part.example.com/webhooks/*"],
    ["https://part.example.com/%77ebhooks/github", "the route https://part.example.com/webhooks/*"],
    ["https://part.example.com/a/../webhooks/github", "the route https://part.example.com/webhooks/*"],
    ["https://exact.example.com/events?x=1", "the route exact.example.com/events"],
    ["https://bücher.example/", "the route BÜCHER.example./*"],
    ["https://xn--bcher-kva.example/", "the route BÜCHER.example./*"],
    ["https://zone.example/", "the route */*"],
    ["https://any.zone.example/", "the route */*"],
    ["https://public.example.com/", "PUBLIC_URL"],
    ["https://staging.example.com/", "the route staging.example.com/*"],
    ["https://staging-public.example.com/", "PUBLIC_URL"],
    ["https://sluice.some-account.workers.dev/events", "the name sluice, which is its workers.dev address"],
    ["https://SLUICE.other.workers.dev./events", "the name sluice, which is its workers.dev address"],
    ["https://0123abcd-sluice.some-account.workers.dev/", "the name sluice, which is its workers.dev address"],
    ["https://an-alias-sluice.some-account.workers.dev/", "the name sluice, which is its workers.dev address"],
    ["https://sluice-staging.some-account.workers.dev/", "the name sluice-staging, which is its workers.dev address"],
    ["https://other-name.some-account.workers.dev/", "the name other-name, which is its workers.dev address"],
  ])("are recognised in %s", (url, way) => {
    expect(wayTo(url)).toBe(way);
  });

  it.each([
    "https://example.com/",
    "https://ci.example.com/hooks.example.com",
    "https://hooks.example.com.evil.example/",
    "https://xhooks.example.com/",
    "https://a.hooks.example.com/",
    "https://wild.example.com/",
    "https://part.example.com/",
    "https://part.example.com/other",
    "https://exact.example.com/events/more",
    "https://sluiced.some-account.workers.dev/",
    "https://mysluice.some-account.workers.dev/",
    "https://sluice-audit.some-account.workers.dev/",
    "https://sluice.workers.dev/",
    "https://sluice.a.b.workers.dev/",
    "https://sluice.some-account.workers.dev.example/",
    "https://thezone.example/",
    "no URL",
  ])("are not seen in %s", (url) => {
    expect(wayTo(url)).toBeUndefined();
  });

  it("are none where wrangler's settings are not what they should be, and nothing throws", () => {
    const configs = [
      null,
      1,
      [],
      {},
      { name: 1, routes: "x", route: [], vars: 1, env: 1 },
      {
        routes: [1, {}, null, "", "*", "*/*", "/", "http://", "[", "%"],
        vars: { PUBLIC_URL: 1 },
        env: { a: 1, b: {} },
      },
      { vars: { PUBLIC_URL: "" } },
      JSON.parse('{"__proto__": {"name": "x"}, "env": {"__proto__": {"route": "x.example/*"}}}'),
    ];
    for (const config of configs) expect(ownHostsOf(config).wayTo("https://ci.other.example/")).toBeUndefined();
    expect(ownHostsOf({ name: "" }).wayTo("https://x-.a.workers.dev/")).toBeUndefined();
  });
});

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function folderWith(url: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-own-"));
  folders.push(dir);
  await mkdir(join(dir, "rules/default"), { recursive: true });
  await writeFile(join(dir, "rules/sources.yaml"), "github: { kind: github, secrets: [S] }\n");
  await writeFile(join(dir, "rules/targets.yaml"), `# a comment\nci: { timeout: 5s, http: "${url}" }\n`);
  await writeFile(join(dir, "rules/default/a.yaml"), "pattern: { type: [a] }\ntargets: [ci]\n");
  await writeFile(join(dir, "wrangler.toml"), CONFIG);
  return dir;
}

describe("a target at one of them", () => {
  it("is an error at its URL, with the way out", async () => {
    const dir = await folderWith("https://Hooks.example.com./events");
    const { problems } = await readRules(join(dir, "rules"), undefined, join(dir, "wrangler.toml"));
    expect(problems.map((problem) => formatProblem(problem, dir))).toEqual([
      "rules/targets.yaml:2:26: error: the target ci sends to this router itself (the route hooks.example.com/* in " +
        "wrangler.toml), which would be a loop; for another bus of it, use a target such as { bus: audit }",
    ]);
    const elsewhere = await folderWith("https://ci.example.com/events");
    expect((await readRules(join(elsewhere, "rules"), undefined, join(elsewhere, "wrangler.toml"))).problems).toEqual(
      [],
    );
  });

  it("is also one that asks it for tokens", async () => {
    const dir = await folderWith("https://ci.example.com/events");
    const oauth2 = "{ token-url: https://hooks.example.com/token, client-id: a, client-secret: B }";
    await writeFile(
      join(dir, "rules/targets.yaml"),
      `ci: { http: https://ci.example.com/events, auth: { oauth2: ${oauth2} } }\n`,
    );
    const { problems } = await readRules(join(dir, "rules"), undefined, join(dir, "wrangler.toml"));
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("sends to this router itself (the route hooks.example.com/*"),
    ]);
  });

  it("stops the build by the project's own wrangler.toml, where nothing else is said", async () => {
    const dir = await folderWith("https://sluice.some-account.workers.dev/events");
    const { problems, document } = await generate({
      rulesDir: join(dir, "rules"),
      outDir: join(dir, "out"),
      checkOnly: true,
    });
    expect(document).toBeUndefined();
    expect(problems.filter(({ severity }) => severity === "error").map(({ message }) => message)).toEqual([
      expect.stringContaining("sends to this router itself (the name sluice"),
    ]);
  });

  it("can't be told while wrangler.toml is no TOML, which is an error in it; without one there are no hosts", async () => {
    const dir = await folderWith("https://hooks.example.com/events");
    const file = join(dir, "broken.toml");
    await writeFile(file, 'name = "sluice"\nroutes = [\n');
    const { problems } = await readRules(join(dir, "rules"), undefined, file);
    expect(problems).toMatchObject([{ file, severity: "error", message: expect.stringMatching(/^expected TOML: ./) }]);
    expect(hasErrors((await readRules(join(dir, "rules"), undefined, join(dir, "none.toml"))).problems)).toBe(false);
  });
});
