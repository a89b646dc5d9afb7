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
  /**
   * `key`: of 32 bytes at least, the same for all replicas; absent: a random one for each process. `previous`: keys
   * of before a rotation.
   */
  readonly sessions: { readonly key?: string; readonly previous: readonly string[] };
  readonly state: StatePlace;
  /** `perAddress`: of requests that are refused for their credentials; absent: no limit. */
  readonly limits: { readonly perAddress?: RateLimit };
  readonly authorizationServers: readonly AuthorizationServer[];
  readonly routes: readonly Route[];
  /** Its metadata is served at the gateway's origin as well, for clients of 2025-03-26. */
  readonly mirror?: AuthorizationServer;
  /** Every setting of the file that weakens a default; told at `warn` and in a metric at each start. */
  readonly weakenings: readonly Weakening[];
}

/** `per` in whole seconds. */
export interface RateLimit {
  readonly requests: number;
  readonly per: Milliseconds;
}

export interface RouteRateLimit extends RateLimit {
  /** What is counted by itself. */
  readonly key: 'principal' | 'route' | 'tool';
}

export interface Listen {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Addresses and CIDR ranges whose `X-Forwarded-For` is believed. */
  readonly trustProxy: readonly string[];
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
/** The URL holds a password. */
export type StatePlace = 'memory' | { readonly redis: { readonly url: string } };

export type AuditSink = 'stdout' | 'off' | { readonly file: string };

export interface AuthorizationServer {
  readonly name: string;
  /** Whose server it is, where a route's `tenant.issuer` made it; `{tenant}` in the form of them all, which is never asked itself. */
  readonly tenant?: string;
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
  readonly introspection?: IntrospectionSettings;
  /** Hosts that the server's own documents may name though their addresses aren't public; IPv6 literals in brackets. */
  readonly allowHosts: readonly string[];
  readonly keys: {
    readonly ttl: Milliseconds;
    readonly cooldown: Milliseconds;
    readonly maxStale: Milliseconds;
    readonly timeout: Milliseconds;
  };
}

/** How an authorization server is asked about tokens (RFC 7662). */
export interface IntrospectionSettings {
  /** `opaque`: what is no JWT; `all`: JWTs as well, after everything else held. */
  readonly for: 'opaque' | 'all';
  /** From the server's metadata if absent. */
  readonly endpoint?: string;
  readonly clientId: string;
  readonly authentication: ClientAuthentication;
  /** How long an answer is remembered; 0: not at all. */
  readonly cache: Milliseconds;
}

/** What the gateway proves itself with as a client (OpenID Connect Core §9). Holds secrets. */
export type ClientAuthentication =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly clientSecret: string }
  | {
      readonly method: 'private_key_jwt';
      /** PKCS #8 in PEM form. */
      readonly privateKey: string;
      readonly algorithm: Algorithm;
      readonly keyId: string | undefined;
    };

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
  /** `optional`: who comes without a token is judged by the rules as nobody. */
  readonly access: 'required' | 'optional' | 'open';
  /** Present where the file's path has `{tenant}`. */
  readonly tenant?: Tenant;
  readonly authorizationServers: readonly AuthorizationServer[];
  /** Replaces the authorization servers' own lists for this route. */
  readonly audiences?: readonly string[];
  readonly scopes: readonly string[];
  readonly challengeScopes: ScopeList;
  readonly scopesSupported: ScopeList;
  readonly discovery: 'on' | 'off';
  /** Browser origins, exact. */
  readonly origins: readonly string[];
  /** Tokens bound to a key (RFC 9449); absent: none are taken. */
  readonly dpop?: Dpop;
  readonly identity: Identity;
  /** Absent: every request with the route's scopes is admitted. */
  readonly policy?: Policy;
  readonly rateLimit?: RouteRateLimit;
  readonly limits: {
    readonly body: Bytes;
    /** Requests and streams under way at one time. */
    readonly streams: number;
    /** Of one principal; GET requests are streams, all others calls. */
    readonly perPrincipal: { readonly calls: number; readonly streams: number };
  };
  readonly streams: {
    readonly keepAlive: Milliseconds;
    /** 0: never. */
    readonly idle: Milliseconds;
    /** Grace after the token's `exp`. */
    readonly closeOnExpiry: Milliseconds | 'never';
  };
  readonly upstream: Upstream;
}

/** Written in the file, or what the route's authorization servers advertise at the time. */
export type ScopeList = readonly string[] | 'from-authorization-server';

export interface Tenant {
  /** Whose route it is. `{tenant}`: it is the form of one for each tenant; its own path, resource, metadata and issuers hold `{tenant}`. */
  readonly name: string;
  /** Matches the whole name. */
  readonly pattern: RegExp;
  /** The claim that must be the name. */
  readonly claim?: string;
}

/** What proofs may be signed with; `EdDSA` stands for both of its names (RFC 9864). */
export type ProofAlgorithm = 'ES256' | 'ES384' | 'EdDSA' | 'RS256' | 'PS256';

export interface Dpop {
  readonly mode: 'optional' | 'required';
  /** Whether a proof must hold a nonce of the gateway. */
  readonly nonce: boolean;
  readonly algorithms: readonly ProofAlgorithm[];
  /** Age up to which a proof is taken. */
  readonly window: Milliseconds;
}

/** What is allowed; all else is refused. */
export interface Policy {
  /** In the order of the file. */
  readonly rules: readonly PolicyRule[];
  /** Whether a name that someone isn't admitted to looks as if there were none. */
  readonly hide: boolean;
}

export interface PolicyRule {
  readonly name: string;
  /** Patterns; absent: every method that the gateway knows. */
  readonly methods?: readonly string[];
  /** Patterns. With one of these three the rule is about nothing else. */
  readonly tools?: readonly string[];
  readonly prompts?: readonly string[];
  readonly resources?: readonly string[];
  readonly scopes: readonly string[];
  /** CEL over `principal`, `call` and `route`. */
  readonly when?: string;
  /** For each caller by itself. */
  readonly rateLimit?: RateLimit;
}

export interface Identity {
  /** Header names as the upstream shall see them; absent: not sent. */
  readonly headers: {
    readonly subject?: string;
    readonly issuer?: string;
    readonly client?: string;
    readonly scopes?: string;
    readonly email?: string;
    /** Sent on routes of tenants. */
    readonly tenant?: string;
  };
  /** Further headers, each from one claim. */
  readonly claims: readonly { readonly header: string; readonly claim: string }[];
}

export interface Upstream {
  readonly url: string;
  /** `sse`: HTTP with SSE of MCP 2024-11-05; `url` is where its stream is. */
  readonly transport: 'streamable-http' | 'sse';
  /** For `sse`: how the client is told where to post. */
  readonly sseEndpoint: 'relative' | 'absolute';
  /** For `sse`: whether people who share the server may see each other's answers. */
  readonly sharedProcess?: 'isolated' | 'accept-risk';
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
