/** A vendor's webhook URL, which is a secret as a whole: whoever has it may post. Checked when it is used, never shown. */
import { URL_CHARS_MAX } from "./_url.ts";

/** A host as it is, or with a leading dot all names under it. */
type KnownHosts = readonly string[];

/** The members of a preset whose configuration names the secret that holds the webhook's URL, and perhaps one to sign with. */
export function webhookUrl(vendor: string, hosts: KnownHosts) {
  return {
    secretNames: ({ url, sign }: WebhookUrlConfig) => [url, ...(sign === undefined || sign === url ? [] : [sign])],
    urlSecret: ({ url }: WebhookUrlConfig) => url,
    secretProblem: (name: string, value: string, { url }: WebhookUrlConfig) =>
      name === url ? webhookUrlProblem(value, vendor, hosts) : undefined,
    urls: () => hostUrls(hosts),
    endpoint: ({ url }: WebhookUrlConfig, secret: (name: string) => string) => secret(url),
  };
}

interface WebhookUrlConfig {
  readonly url: string;
  readonly sign?: string | undefined;
}

/** What of a URL vendors might echo: shorter parts are ordinary words. */
const TELLING_CHARS_MIN = 16;

/** What is wrong with a secret's value as a vendor's URL, said without a word of it, or undefined. */
function webhookUrlProblem(value: string, vendor: string, hosts: KnownHosts): string | undefined {
  const wanted = `a webhook URL of ${vendor} (https://${shownHosts(hosts)}/…)`;
  if (value.length > URL_CHARS_MAX || /[\u0000-\u0020\u007f\\#]/.test(value) || !URL.canParse(value)) {
    return `does not hold ${wanted}`;
  }
  const { protocol, hostname, port, username, password } = new URL(value);
  if (protocol !== "https:") return `holds a URL that is not https; expected ${wanted}`;
  if (username !== "" || password !== "") return `holds a URL with a user name or password; expected ${wanted}`;
  if (!isKnown(hostname, hosts)) return `holds a URL of another host; expected ${wanted}`;
  return port === "" ? undefined : `holds a URL with a port of its own; expected ${wanted}`;
}

function isKnown(host: string, hosts: KnownHosts): boolean {
  return hosts.some((known) => (known.startsWith(".") ? host.endsWith(known) : host === known));
}

function shownHosts(hosts: KnownHosts): string {
  return hosts.map((host) => (host.startsWith(".") ? `*${host}` : host)).join(", https://");
}

/** The hosts as URLs, for the check that no target leads back to this router. */
function hostUrls(hosts: KnownHosts): readonly string[] {
  return hosts.map((host) => `https://${host.replace(/^\./, "")}/`);
}

/** A URL and those of its parts that alone give it away, to be kept out of records. */
export function tellingParts(url: string): readonly string[] {
  if (!URL.canParse(url)) return [url];
  const { href, pathname, search, searchParams } = new URL(url);
  const parts = [...pathname.split("/"), ...searchParams.values()].filter(({ length }) => length >= TELLING_CHARS_MIN);
  const whole = [url, href, pathname + search, pathname, search.slice(1)].filter(({ length }) => length > 1);
  return [...new Set([...whole, ...parts])];
}
