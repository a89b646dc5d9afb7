/**
 * What the gateway runs on: every default filled in, every reference resolved, every file named by a key
 * read, the whole tree frozen. Stages import these types and nothing else of this folder.
 */

export type Milliseconds = number;
export type Seconds = number;
export type Bytes = number;

/** Asymmetric signature algorithms only; `EdDSA` stands for both of its names (RFC 9864). */
export type Algorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA';

export interface Configuration {
  /** Origin and optional base path, without a trailing slash. Never taken from a request. */
  readonly publicUrl: string;
  /** Names that `Host` may carry: lower case, without port; IPv6 literals in brackets. */
  readonly hosts: readonly string[];
  readonly listen: Listen;
  readonly ops: { readonly host: string; readonly port: number };
  readonly log: { readonly level: LogLevel; readonly audit: AuditSink };
  readonly stop: { readonly drain: Milliseconds };
  readonly authorizationServers: readonly AuthorizationServer[];
  readonly routes: readonly Route[];
  /** Every setting of the file that weakens a default; told at `warn` and in a metric at each start. */
  readonly weakenings: readonly Weakening[];
}

export interface Listen {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Addresses and CIDR ranges whose `X-Forwarded-For` is believed. */
  readonly trustProxy: readonly string[];
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
export type AuditSink = 'stdout' | 'off' | { readonly file: string };

export interface AuthorizationServer {
  readonly name: string;
  /** Compared with `iss` byte for byte; the first is the one that discovery asks and PRM advertises. */
  readonly issuers: readonly [string, ...string[]];
  readonly discovery: 'auto' | 'off';
  readonly jwksUri?: string;
  /** PEM text of the certificate authorities for this server, instead of the system's. */
  readonly ca?: string;
  readonly algorithms: readonly Algorithm[];
  /** Accepted `aud` values for every route that lists none of its own; empty: the route's resource. */
  readonly audiences: readonly string[];
  /** Accepted `typ` values: lower case, without `application/`; `none` stands for an absent `typ`. */
  readonly tokenTypes: readonly string[];
  readonly leeway: Seconds;
  readonly requireExp: boolean;
  readonly verify: {
    readonly exp: boolean;
    readonly nbf: boolean;
    readonly iat: boolean;
    readonly iss: boolean;
  };
  readonly claims: {
    readonly clientId: readonly string[];
    readonly scopes: readonly string[];
    readonly email: string;
  };
  readonly keys: {
    readonly ttl: Milliseconds;
    readonly cooldown: Milliseconds;
    readonly maxStale: Milliseconds;
    readonly timeout: Milliseconds;
  };
}

export interface Route {
  readonly name: string;
  /** What clients ask for: the public URL's base path and the route's own path, no trailing slash; `/` for the root. */
  readonly path: string;
  /** RFC 8707 resource identifier; a root path has no trailing slash. */
  readonly resource: string;
  /** RFC 9728 §3.1: the well-known inserted between host and path of the resource. */
  readonly resourceMetadataUrl: string;
  /** Serves the bare well-known as well. */
  readonly isDefault: boolean;
  readonly access: 'required' | 'open';
  readonly authorizationServers: readonly AuthorizationServer[];
  /** Replaces the authorization servers' own lists for this route. */
  readonly audiences?: readonly string[];
  readonly scopes: readonly string[];
  readonly challengeScopes: readonly string[];
  readonly scopesSupported: readonly string[];
  readonly discovery: 'on' | 'off';
  /** Browser origins, exact. */
  readonly origins: readonly string[];
  readonly identity: Identity;
  readonly limits: { readonly body: Bytes; readonly streams: number };
  readonly streams: {
    readonly keepAlive: Milliseconds;
    /** 0: never. */
    readonly idle: Milliseconds;
    /** Grace after the token's `exp`. */
    readonly closeOnExpiry: Milliseconds | 'never';
  };
  readonly upstream: Upstream;
}

export interface Identity {
  /** Header names as the upstream shall see them; absent: not sent. */
  readonly headers: {
    readonly subject?: string;
    readonly issuer?: string;
    readonly client?: string;
    readonly scopes?: string;
    readonly email?: string;
  };
  /** Further headers, each from one claim. */
  readonly claims: readonly { readonly header: string; readonly claim: string }[];
}

export interface Upstream {
  readonly url: string;
  readonly timeouts: {
    readonly connect: Milliseconds;
    readonly headers: Milliseconds;
    /** 0: never. */
    readonly idle: Milliseconds;
  };
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Lower-case names that pass besides the built-in list. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
}

export interface Weakening {
  /** Where in the file, such as `routes[0].access`. */
  readonly path: string;
  /** A sentence for the operator. */
  readonly says: string;
}
