/** Rule files that are right, and such that are wrong, with what their schema says of them. */

/** A wrong file whose mistake no schema can say. */
export type Gap =
  /** It is about another entry, another file or another line of the same one. */
  | "cross-reference"
  /** A field or a name that stands there twice under two spellings. */
  | "uniqueness"
  /** The limits of a duration or a rate, in whatever unit. */
  | "bounds"
  /** What an expression can't say of a text: the hosts of URLs, the number of `*`, the inside of an address, of a template. */
  | "text"
  /** The depth, the number of branches or the size in bytes. */
  | "size";

export interface WrongFile {
  readonly text: string;
  /** Absent when the schema refuses it too. */
  readonly gap?: Gap;
}

export interface Corpus {
  readonly right: readonly string[];
  readonly wrong: readonly WrongFile[];
}

const rule = (more: string): string => `pattern: { type: [a] }\ntargets: [ci]\n${more}`;
const pattern = (text: string): string => `pattern: ${text}\ntargets: [ci]\n`;
const target = (more: string): string => `ci: { http: https://a.example/, ${more} }`;
const testCase = (more: string): string => `cases: [{ name: a, ${more} }]`;
const refused = (texts: readonly string[], gap?: Gap): readonly WrongFile[] =>
  texts.map((text) => ({ text, ...(gap === undefined ? {} : { gap }) }));
const repeat = (text: string, times: number): string => Array.from({ length: times }, () => text).join(", ");

/** Targets named `ci` and `audit` are there. */
export const RULES: Corpus = {
  right: [
    rule(""),
    rule("description: A rule\nmode: off"),
    rule("mode: shadow"),
    rule("order: none"),
    rule("order: key\non_failure: { skip-after: 20 }"),
    rule("order: key\non_failure: latest"),
    rule("order: sequence\ngap_wait: 1h\non_failure: park"),
    "pattern: { type: [a] }\ntargets: [ci, audit]",
    rule("transform: { constant: null }"),
    rule("transform: { constant: { a: [1, '<x>'] } }"),
    rule("transform:\n  path: $.data['a b'][0][*].é-ü\n  required: true"),
    rule(`transform:\n  path: $["a\\"b"]`),
    rule("transform: { template: { body: 5 } }"),
    rule("transform: { template: { paths: { a: $, b: { path: $.b, required: true } }, body: <a>, required: false } }"),
    pattern("{ type: [a, 1, 1.5, true, null, ''] }"),
    pattern("{ data: { a: { b: [x] }, 'c.d': [y] } }"),
    pattern("{ $or: [{ type: [a] }, { data: { $or: [{ a: [1] }, { b: [1] }] } }] }"),
    pattern("{ data: [x], type: { prefix: [a] } }"),
    pattern("{ type: [{ exactly: '' }, { prefix: '' }, { suffix: b }, { prefix: { equals-ignore-case: C } }] }"),
    pattern("{ type: [{ equals-ignore-case: a }, { wildcard: 'a*\\*\\\\*' }, { exists: false }, { exists: true }] }"),
    pattern("{ type: [{ numeric: ['=', 1] }, { numeric: ['<=', 1.5] }, { numeric: ['>', -1, '<', 1] }] }"),
    pattern("{ type: [{ cidr: 10.0.0.0/8 }, { cidr: '::/0' }, { cidr: '2001:db8::/32' }] }"),
    pattern("{ type: [{ anything-but: a }, { anything-but: 1 }, { anything-but: [a, b] }, { anything-but: [1, 2] }] }"),
    pattern("{ type: [{ anything-but: { prefix: a } }, { anything-but: { suffix: [a, b] } }] }"),
    pattern("{ type: [{ anything-but: { wildcard: ['*', 'a*'] } }, { anything-but: { equals-ignore-case: a } }] }"),
    pattern(`{ type: [${repeat("1", 1_000)}] }`),
    pattern(`{ type: [{ wildcard: '${"*a".repeat(32)}' }] }`),
    pattern("{ __proto__: [a], constructor: { toString: [b] } }"),
  ],
  wrong: [
    ...refused(["[]", "", "5", "pattern: { type: [a] }", "targets: [ci]", rule("targts: [ci]"), rule("mode: lve")]),
    ...refused([rule("description: 5"), rule("description: ''"), rule(`description: ${"x".repeat(1_001)}`)]),
    ...refused(["pattern: { type: [a] }\ntargets: ci", "pattern: { type: [a] }\ntargets: []"]),
    ...refused(["pattern: { type: [a] }\ntargets: [c1]", "pattern: { type: [a] }\ntargets: [ci, ci]"]),
    ...refused([rule("on_failure: park"), rule("order: none\non_failure: park"), rule("order: key\ngap_wait: 5s")]),
    ...refused([rule("order: key\non_failure: {}"), rule("order: key\non_failure: skip-after 3")]),
    ...refused([
      rule("order: key\non_failure: { skip-after: 21 }"),
      rule("order: key\non_failure: { skip-after: 1.5 }"),
    ]),
    ...refused([rule("order: sequence\ngap_wait: 5"), rule("order: sequence\ngap_wait: soon")]),
    ...refused([rule("order: sequence\non_failure: latest")], "cross-reference"),
    ...refused([rule("order: sequence\ngap_wait: 2h"), rule("order: sequence\ngap_wait: 999ms")], "bounds"),
    ...refused([rule("transform: {}"), rule("transform: $.data"), rule("transform: { path: data }")]),
    ...refused([
      rule("transform: { path: $..a }"),
      rule("transform: { path: '$[01]' }"),
      rule("transform: { path: $.a. }"),
    ]),
    ...refused([rule("transform: { path: $, constant: 1 }"), rule("transform: { constant: 1, required: true }")]),
    ...refused([rule("transform: { template: {} }"), rule("transform: { template: { body: 1, path: $ } }")]),
    ...refused([rule("transform: { template: { body: 1, paths: { 1a: $ } } }"), rule("transform: { template: 5 }")]),
    ...refused([rule("transform: { template: { body: 1, paths: { a: { required: true } } } }")]),
    ...refused([rule("transform: { template: { body: <a> } }")], "cross-reference"),
    ...refused([rule(`transform: { path: $${".a".repeat(33)} }`)], "text"),
    ...refused([rule("transform: { template: { body: '{' } }")], "text"),
    ...refused([rule(`transform: { constant: ${"x".repeat(70_000)} }`)], "size"),
    ...refused(
      ["{}", "[]", "{ type: a }", "{ type: [] }", "{ type: [[a]] }", "{ data: {} }", "{ type: [{}] }"].map(pattern),
    ),
    ...refused(
      ["{ type: [{ prefix: a, suffix: b }] }", "{ type: [{ prefx: a }] }", "{ type: [{ prefix: 1 }] }"].map(pattern),
    ),
    ...refused(["{ type: [{ prefix: {} }] }", "{ type: [{ prefix: { wildcard: a } }] }"].map(pattern)),
    ...refused(["{ $or: [{ type: [a] }] }", "{ $or: { type: [a] } }", "{ $or: [{ type: [a] }, [b]] }"].map(pattern)),
    ...refused(
      ["{ type: [{ wildcard: a** }] }", "{ type: [{ wildcard: 'a\\b' }] }", "{ type: [{ wildcard: 'a\\' }] }"].map(
        pattern,
      ),
    ),
    ...refused(["{ type: [{ numeric: ['='] }] }", "{ type: [{ numeric: ['>', 1, '<'] }] }"].map(pattern)),
    ...refused(["{ type: [{ numeric: ['<', 1, '>', 0] }] }", "{ type: [{ numeric: ['>', a] }] }"].map(pattern)),
    ...refused(["{ type: [{ anything-but: [] }] }", "{ type: [{ anything-but: [a, 1] }] }"].map(pattern)),
    ...refused(["{ type: [{ anything-but: true }] }", "{ type: [{ anything-but: { prefix: '' } }] }"].map(pattern)),
    ...refused(["{ type: [{ exists: yes }] }", "{ type: [{ cidr: 10.0.0.0 }] }"].map(pattern)),
    ...refused([pattern(`{ type: [${repeat("1", 1_001)}] }`)]),
    ...refused([pattern("{ type: [{ numeric: ['>', 1, '<', 1] }] }")], "cross-reference"),
    ...refused([pattern("{ data.ref: [a], data: { ref: [b] } }")], "uniqueness"),
    ...refused([pattern("{ type: [{ cidr: 10.0.0.256/8 }] }"), pattern("{ type: [{ cidr: 10.0.0.0/33 }] }")], "text"),
    ...refused([pattern(`{ type: [{ wildcard: '${"*a".repeat(33)}' }] }`)], "text"),
    ...refused([pattern(`${"{ a: ".repeat(33)}[b]${" }".repeat(33)}`)], "size"),
  ],
};

export const SOURCES: Corpus = {
  right: [
    "",
    "github: { kind: github, secrets: [A, _b2] }",
    "github: { kind: github, secrets: [A], replays: refuse, bus: other }",
    "github: { kind: github, auth: none }",
    "events: { kind: cloudevents, auth: none, gzip: true }",
    "github: { kind: github, auth: none, gzip: false }",
    "a: { kind: cloudevents, auth: { bearer: [A] } }\nb: { kind: github, secrets: [A, B, C, D, E] }",
  ],
  wrong: [
    ...refused(["[]", "github: github", "github: { secrets: [A] }", "github: { kind: githb, secrets: [A] }"]),
    ...refused(["github: { kind: constructor }", "github: { kind: github }", "github: { kind: github, secret: [A] }"]),
    ...refused(["github: { kind: github, secrets: A }", "github: { kind: github, secrets: [] }"]),
    ...refused(["github: { kind: github, secrets: [a-b] }", "github: { kind: github, secrets: [A, B, C, D, E, F] }"]),
    ...refused(["github: { kind: github, secrets: [A], auth: none }", "github: { kind: github, auth: open }"]),
    ...refused([
      "github: { kind: github, auth: none, replays: flag }",
      "github: { kind: github, secrets: [A], bus: B }",
    ]),
    ...refused(["e: { kind: cloudevents, auth: none, gzip: yes }", "e: { kind: cloudevents, auth: none, gzip: gzip }"]),
    ...refused(["e: { kind: cloudevents }", "e: { kind: cloudevents, auth: { token: [A] } }"]),
    ...refused([
      "e: { kind: cloudevents, auth: {} }",
      "e: { kind: cloudevents, secrets: [A] }",
      "Big: { kind: github, auth: none }",
    ]),
  ],
};

export const TARGETS: Corpus = {
  right: [
    "",
    "a: { queue: AUDIT }\nb: { bus: default }",
    "a: { service: S, path: /x, sign: KEY, local: print }\nb: { service: S, method: handle, data: bytes }",
    target("timeout: 1s"),
    target("timeout: 25000ms, retry: none, max-age: 1min"),
    target(`retry: [${repeat("1s", 20)}]`),
    target("retry: []"),
    target("rate: 50/s, concurrency: 100"),
    target("rate: { limit: 10000/h, burst: 10000 }"),
    target("local: print, format: raw, sign: A"),
    target("local: 'http://localhost:8080/x?y', sign: [A, B, C]"),
    target("headers: { Authorization: { secret: A }, X-Team: build }"),
    target("auth: { bearer: A }, compress: gzip, handshake: events.example.com"),
    target("auth: { basic: { user: deployer, password: A } }, handshake: { origin: localhost, rate: 120/m }"),
    target("auth: { basic: { user: { secret: B }, password: A } }, handshake: { origin: a_b.example }"),
    target("auth: { oauth2: { token-url: https://a.example/t, client-id: a:b, client-secret: A } }"),
    target(
      "auth: { oauth2: { token-url: https://a.example/t, client-id: { secret: I }, client-secret: A, scope: a b, audience: c, credentials: body } }",
    ),
    "ci: { http: 'HTTPS://a.example' }",
    "ci: { http: 'http://127.0.0.1:3000/' }",
    "ci: { http: 'https://a.example?q=é' }",
  ],
  wrong: [
    ...refused(["[]", "ci: https://a.example/", "ci: {}", "ci: { timeout: 5s }", "ci: { htp: https://a.example/ }"]),
    ...refused([
      "ci: { service: S, method: fetch }",
      "ci: { service: S, method: handle, path: /x }",
      "ci: { service: S, data: bytes }",
      target("queue: Q"),
      target("bus: b"),
      target("timout: 5s"),
      target("formt: raw"),
    ]),
    ...refused(["Big_Name: { queue: Q }", "ci: { queue: a-b }", "ci: { bus: '' }", "ci: { queue: Q, sign: A }"]),
    ...refused([target("timeout: 5"), target("retry: 5s"), target("retry: [soon]"), target("max-age: 1w")]),
    ...refused([
      target(`retry: [${repeat("1s", 21)}]`),
      target("rate: 5"),
      target("rate: 5/d"),
      target("rate: { burst: 5 }"),
    ]),
    ...refused([target("concurrency: 0"), target("concurrency: 101"), target("rate: { limit: 5/s, burst: 0 }")]),
    ...refused([target("sign: [A, B, C, D]"), target("sign: []"), target("sign: whsec_a-b"), target("format: xml")]),
    ...refused([
      target("headers: { 'a b': c }"),
      target("headers: { a: '' }"),
      target("headers: { a: { secrets: A } }"),
    ]),
    ...refused([target("headers: [a]"), target("headers: { a: é }"), target("local: 5")]),
    ...refused([
      target("auth: A"),
      target("auth: {}"),
      target("auth: { bearer: A, basic: { user: u, password: P } }"),
      target("auth: { bearer: a-b }"),
      target("auth: { basic: { user: u } }"),
      target("auth: { basic: { user: '', password: P } }"),
    ]),
    ...refused([
      target("auth: { oauth2: { client-id: a, client-secret: A } }"),
      target("auth: { oauth2: { token-url: ftp://a.example, client-id: a, client-secret: A } }"),
      target("auth: { oauth2: { token-url: https://a.example, client-id: a, client-secret: A, credentials: jwt } }"),
    ]),
    ...refused([
      target("compress: br"),
      target("handshake: true"),
      target("handshake: https://a.example"),
      target("handshake: { rate: 120/m }"),
      target("handshake: { origin: a.example, rate: 2/s }"),
    ]),
    ...refused([
      "ci: { http: ftp://a.example/ }",
      "ci: { http: 'https://u:p@a.example/' }",
      "ci: { http: 'https://a.example/#x' }",
    ]),
    ...refused(["ci: { http: 'https://a.example/${x}' }", "ci: { http: 'https://a.example/ b' }", "ci: { http: 5 }"]),
    ...refused(
      [target("timeout: 26s"), target("timeout: 999ms"), target("max-age: 8d"), target("rate: 10001/s")],
      "bounds",
    ),
    ...refused([target("handshake: { origin: a.example, rate: 10001/m }")], "bounds"),
    ...refused([target("auth: { bearer: A }, headers: { Authorization: { secret: B } }")], "cross-reference"),
    ...refused([target("auth: { basic: { user: 'a:b', password: P } }")], "text"),
    ...refused(
      ["ci: { http: https://a/ }", "ci: { http: https://10.0.0.1/ }", "ci: { http: http://a.example/ }"],
      "text",
    ),
    ...refused([target("headers: { Host: a }"), target("headers: { Authorization: a }")], "text"),
    ...refused([target("headers: { X-A: a, x-a: b }")], "uniqueness"),
  ],
};

export const TESTS: Corpus = {
  right: [
    testCase("event: { github: push }, match: true"),
    testCase(
      "event: { github: issues, action: opened, example: 2, with: { a: null }, set: { subject: b } }, match: false",
    ),
    testCase("event: ./events/push.json, match: true, output: null"),
    testCase("event: { type: a }, match: true, output-includes: { a: 1 }"),
    testCase(
      "event: { type: a, data: [1], source: /s, subject: b, partitionkey: c }, match: true, error: required path",
    ),
  ],
  wrong: [
    ...refused(["", "[]", "{}", "cases: []", "cases: {}", "case: []"]),
    ...refused([testCase("event: { github: push }"), testCase("match: true"), "cases: [{ event: a, match: true }]"]),
    ...refused([
      testCase("event: {}, match: true"),
      testCase("event: 5, match: true"),
      testCase("event: '', match: true"),
    ]),
    ...refused([
      testCase("event: { githb: push }, match: true"),
      testCase("event: { github: push, wth: {} }, match: true"),
    ]),
    ...refused([testCase("event: { type: 5 }, match: true"), testCase("event: a, match: yes")]),
    ...refused([testCase("event: a, match: true, output: 1, error: b"), testCase("event: a, match: false, output: 1")]),
    ...refused([testCase("event: { github: push, example: 0 }, match: true")]),
    ...refused(["cases: [{ name: a, event: b, match: true }, { name: a, event: c, match: true }]"], "uniqueness"),
    ...refused([testCase("event: { type: a, subject: '' }, match: true")], "text"),
  ],
};
