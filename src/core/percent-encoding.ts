/**
 * Percent-decoding over bytes, once, in the two dialects that sources meet: form fields and CloudEvents headers.
 */

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/**
 * A field of `application/x-www-form-urlencoded`: `+` is a space and every `%` starts an escape.
 * Null when a `%` is not followed by two hexadecimal digits.
 */
export function decodeFormField(bytes: Uint8Array): Uint8Array | null {
  return decode(bytes, true);
}

/**
 * A header's value in the CloudEvents HTTP binding (1.0.2, section 3.1.3.2): a `%` that starts no escape stands for itself,
 * because the section asks to decode escapes and says nothing of a stray sign, which some SDKs send.
 */
export function decodeHeaderBytes(bytes: Uint8Array): Uint8Array {
  return decode(bytes, false) ?? bytes;
}

function decode(bytes: Uint8Array, form: boolean): Uint8Array | null {
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte !== PERCENT) {
      decoded[length++] = form && byte === PLUS ? SPACE : byte;
      continue;
    }
    const high = hexDigit(bytes[at + 1]);
    const low = hexDigit(bytes[at + 2]);
    if (high !== -1 && low !== -1) {
      decoded[length++] = high * 16 + low;
      at += 2;
    } else if (form) return null;
    else decoded[length++] = byte;
  }
  return decoded.slice(0, length);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
