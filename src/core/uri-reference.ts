/**
 * URIs and URI-references of RFC 3986, the types of `source` and `dataschema` (CloudEvents 1.0.2, sections 2.1 and 3.1).
 */

// RFC 3986, appendix B, with the scheme held to its own grammar. It matches every text, so it never backtracks far.
const PARTS =
  /^(?:(?<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?<authority>[^/?#]*))?(?<path>[^?#]*)(?:\?(?<query>[^#]*))?(?:#(?<fragment>.*))?$/s;

const PATH = /^[\w.~!$&'()*+,;=:@%/-]*$/;
const QUERY_OR_FRAGMENT = /^[\w.~!$&'()*+,;=:@%/?-]*$/;
const AUTHORITY =
  /^(?:[\w.~!$&'()*+,;=:%-]*@)?(?:\[(?:[0-9A-Fa-f:.]{2,45}|[vV][0-9A-Fa-f]+\.[\w.~!$&'()*+,;=:-]+)\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/;
const STRAY_PERCENT = /%(?![0-9A-Fa-f]{2})/;

/** Whether the text is a URI-reference (RFC 3986, section 4.1). The empty text is one. */
export function isUriReference(text: string): boolean {
  if (STRAY_PERCENT.test(text)) return false;
  const parts = PARTS.exec(text)?.groups;
  if (parts === undefined) return false;
  const { scheme, authority, path = "", query = "", fragment = "" } = parts;
  if (!PATH.test(path) || !QUERY_OR_FRAGMENT.test(query) || !QUERY_OR_FRAGMENT.test(fragment)) return false;
  if (authority !== undefined) return AUTHORITY.test(authority);
  // Section 4.2: a colon in the first segment of a relative path would make it a scheme.
  return scheme !== undefined || !(path.split("/", 1)[0] ?? "").includes(":");
}

/**
 * Whether the text is a URI with a scheme. RFC 3986, section 4.3 gives absolute URIs no fragment; a `dataschema` that points
 * into a schema has one in practice, and passing it on harms nobody, so it is let through.
 */
export function isAbsoluteUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:./s.test(text) && isUriReference(text);
}
