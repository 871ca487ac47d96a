import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTargetUrl } from "../../src/targets/_url-entry.ts";
import { URL_CHARS_MAX } from "../../src/targets/_url.ts";

describe("a target's URL", () => {
  it.each([
    ["https://ci.example.com/hooks?team=a", "https://ci.example.com/hooks?team=a"],
    ["https://CI.Example.com", "https://ci.example.com/"],
    ["https://ci.example.com:8443/x", "https://ci.example.com:8443/x"],
    ["https://ci.example.com./x", "https://ci.example.com/x"],
    ["https://bücher.example/", "https://xn--bcher-kva.example/"],
    ["https://my_host.example.com/%24%7B", "https://my_host.example.com/%24%7B"],
    ["https://10.0.0.1.example.com/", "https://10.0.0.1.example.com/"],
  ])("may be %s", (text, url) => {
    expect(parseTargetUrl(text)).toEqual({ ok: true, value: { url, isLoopback: false } });
  });

  it.each([
    ["http://localhost:9000/x", "http://localhost:9000/x"],
    ["http://localhost./x", "http://localhost/x"],
    ["http://hooks.localhost/", "http://hooks.localhost/"],
    ["https://localhost/", "https://localhost/"],
    ["http://127.0.0.1:1234/", "http://127.0.0.1:1234/"],
    ["http://127.255.0.9/", "http://127.255.0.9/"],
    ["http://0x7f.1/", "http://127.0.0.1/"],
    ["http://2130706433/", "http://127.0.0.1/"],
    ["http://0177.0.0.1/", "http://127.0.0.1/"],
    ["http://127.1./", "http://127.0.0.1/"],
    ["http://[::1]:80/", "http://[::1]/"],
    ["http://[0:0:0:0:0:0:0:1]/", "http://[::1]/"],
  ])("may be this machine: %s", (text, url) => {
    expect(parseTargetUrl(text)).toEqual({ ok: true, value: { url, isLoopback: true } });
  });

  it.each([
    ["http://ci.example.com/", "https"],
    ["ftp://ci.example.com/", "absolute"],
    ["//ci.example.com/", "absolute"],
    ["/hooks", "absolute"],
    ["ci.example.com", "absolute"],
    ["https:ci.example.com", "absolute"],
    ["https:/ci.example.com", "absolute"],
    ["https:///ci.example.com", "absolute"],
    ["https://", "absolute"],
    ["javascript:alert(1)", "absolute"],
    ["https:\\\\ci.example.com", "backslashes"],
    ["https://ci.example.com\\@evil.example", "backslashes"],
    [" https://ci.example.com", "spaces"],
    ["https://ci.exa\nmple.com", "spaces"],
    ["https://ci.exa\tmple.com", "spaces"],
    ["https://ci.example.com/\u0000", "spaces"],
    ["https://user:hunter22@ci.example.com/", "user name"],
    ["https://user@ci.example.com/", "user name"],
    ["https://@ci.example.com/", "user name"],
    ["https://ci.example.com/#part", "fragment"],
    ["https://ci.example.com/#", "fragment"],
    ["https://${data.host}/", "not built yet"],
    ["https://ci.example.com/${data.ref}", "not built yet"],
    ["https://intranet/", "dot in it"],
    ["https://intranet./", "dot in it"],
    ["https://ci..example.com/", "valid host"],
    ["https://ci.example.com../", "valid host"],
    ["https://10.0.0.1/", "IP addresses"],
    ["https://8.8.8.8/", "IP addresses"],
    ["https://0.0.0.0/", "IP addresses"],
    ["https://169.254.169.254/latest/", "IP addresses"],
    ["https://100.64.0.1/", "IP addresses"],
    ["https://0xa9fea9fe/", "IP addresses"],
    ["https://2852039166/", "IP addresses"],
    ["https://0251.0376.0251.0376/", "IP addresses"],
    ["https://192.168.1/", "IP addresses"],
    ["https://１０.0.0.1/", "IP addresses"],
    ["https://10.0.0.1./", "IP addresses"],
    ["https://%31%30.0.0.1/", "IP addresses"],
    ["https://[::]/", "IP addresses"],
    ["https://[fd00::1]/", "IP addresses"],
    ["https://[fe80::1]/", "IP addresses"],
    ["https://[::ffff:10.0.0.1]/", "IP addresses"],
    ["http://[::ffff:127.0.0.1]/", "IP addresses"],
    ["https://[64:ff9b::a00:1]/", "IP addresses"],
    ["http://localhost.example.com/", "https"],
    ["http://notlocalhost.example/", "https"],
    ["http://127.0.0.1.example.com/", "https"],
  ])("is refused when it is %j", (text, why) => {
    const parsed = parseTargetUrl(text);
    expect(parsed).toMatchObject({ ok: false, error: expect.stringContaining(why) as string });
  });

  it("may be as long as the limit and no longer", () => {
    const start = "https://ci.example.com/";
    expect(parseTargetUrl(start + "a".repeat(URL_CHARS_MAX - start.length)).ok).toBe(true);
    expect(parseTargetUrl(start + "a".repeat(URL_CHARS_MAX - start.length + 1)).ok).toBe(false);
  });

  it("never repeats credentials in the message", () => {
    expect(JSON.stringify(parseTargetUrl("https://user:hunter22@ci.example.com/"))).not.toContain("hunter22");
  });

  it("is no IPv4 address outside 127.0.0.0/8, however it is written", () => {
    const forms = (ip: number): string[] => [
      String(ip),
      `0x${ip.toString(16)}`,
      `0${ip.toString(8)}`,
      [24, 16, 8, 0].map((shift) => (ip >>> shift) & 255).join("."),
      `${ip >>> 24}.${ip & 0xffffff}`,
    ];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (ip) => {
        fc.pre(ip >>> 24 !== 127);
        for (const form of forms(ip)) expect(parseTargetUrl(`https://${form}/`).ok).toBe(false);
      }),
    );
  });

  it("comes back the same when it is parsed again", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["https"], withQueryParameters: true }), (text) => {
        const first = parseTargetUrl(text);
        if (first.ok) expect(parseTargetUrl(first.value.url)).toEqual(first);
      }),
    );
  });
});
