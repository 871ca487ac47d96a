/** The address of a target, as reading its entry has checked it (_url-entry.ts). */
export interface TargetUrl {
  /** Absolute and normalised: lower-case host in its ASCII form, no dot after it, no userinfo, no fragment. */
  readonly url: string;
  /** The host names this machine (localhost, *.localhost, 127.0.0.0/8, [::1]): nothing a deployed Worker can reach. */
  readonly isLoopback: boolean;
}

/** Longer URLs are refused by many servers (RFC 9110, section 4.1 asks for 8,000; common defaults are lower). */
export const URL_CHARS_MAX = 2_048;
