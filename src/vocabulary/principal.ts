/**
 * Who asks: the verified (issuer, subject, client) with what the token says of them.
 * Only the token stage makes one, after signature, issuer, audience, type and times held.
 * It does not say what the principal may do.
 */
export interface Principal {
  /** The `iss` of the token, or of who was asked about it: one of the authorization server's configured issuers. */
  readonly issuer: string;
  /** The `sub` of the token: non-empty, no control characters. Unique only together with the issuer. */
  readonly subject: string;
  /** Absent when no configured claim names a client; never made up. */
  readonly clientId: string | undefined;
  readonly email: string | undefined;
  /** Granted scopes, RFC 6749 §3.3 tokens only, first-seen order. */
  readonly scopes: readonly string[];
  /** All claims of the token, frozen. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Name of the authorization server in the configuration. */
  readonly authorizationServer: string;
  /** `exp` in seconds since the epoch; absent only where the operator allowed tokens without one, or an introspection answer has none. */
  readonly expiresAt: number | undefined;
}
