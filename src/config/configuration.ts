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
  /** Of what the file says, secrets left out: files that say the same have the same. */
  readonly hash: string;
  /** Origin and optional base path, without a trailing slash. Never taken from a request. */
  readonly publicUrl: string;
  /** Names that `Host` may carry: lower case, without port; IPv6 literals in brackets. */
  readonly hosts: readonly string[];
  readonly listen: Listen;
  readonly ops: { readonly host: string; readonly port: number };
  readonly log: { readonly level: LogLevel; readonly audit: AuditSink };
  /** `delay`: between being told to stop and taking no more connections. */
  readonly stop: { readonly delay: Milliseconds; readonly drain: Milliseconds };
  /**
   * `key`: of 32 bytes at least, the same for all replicas; absent: a random one for each process. `previous`: keys
   * of before a rotation.
   */
  readonly sessions: { readonly key?: string; readonly previous: readonly string[] };
  /**
   * Private keys for ES256 or EdDSA, PKCS #8 in PEM form. `key` signs; absent: one that the process makes. `others` are
   * published with it, those that will sign first.
   */
  readonly signing: { readonly key?: string; readonly others: readonly string[] };
  readonly state: StatePlace;
  /** Present where the gateway logs in at upstreams. */
  readonly tokenStore?: TokenStore;
  /** As whom the gateway finds out who sits behind a browser; one for each authorization server at most. */
  readonly login: readonly LoginClient[];
  /** `perAddress`: of requests that are refused for their credentials; absent: no limit. */
  readonly limits: { readonly perAddress?: RateLimit };
  readonly authorizationServers: readonly AuthorizationServer[];
  readonly routes: readonly Route[];
  /** Its metadata is served at the gateway's origin as well, for clients of 2025-03-26. */
  readonly mirror?: AuthorizationServer;
  /** Every setting of the file that weakens a default; told at `warn` and in a metric at each start. */
  readonly weakenings: readonly Weakening[];
  /** Rules and scopes that can't come true; told by `check`, and at `warn` at each start. */
  readonly ineffective: readonly Weakening[];
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

export type StatePlace = 'memory' | { readonly redis: RedisPlace };

export interface RedisPlace {
  /** Holds a password. */
  readonly url: string;
  readonly tls?: ClientTls;
  /** Every key begins with it. */
  readonly prefix: string;
}

/** PEM texts; `ca` instead of the system's authorities. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Where the logins at upstreams are kept: in files of `directory`, without one in the state's Redis. */
export interface TokenStore {
  readonly directory?: string;
  /** Of 32 bytes at least, the same for all replicas; what is kept is encrypted with it. */
  readonly key: string;
  /** Keys of before a rotation. */
  readonly previous: readonly string[];
}

/** A client for OpenID Connect. Holds a secret. */
export interface LoginClient {
  /** Name of the server. */
  readonly authorizationServer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** Who the person is: this claim of their ID token has the value that the other one has in their access tokens. */
  readonly idTokenClaim: string;
  readonly accessTokenClaim: string;
}

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
  /** The claim that the header with the subject has; absent: `sub`. */
  readonly subject?: string;
  /** Who asks where nobody can log in: one subject for all, or one for each session; absent: nothing is said. */
  readonly anonymous?: 'session' | { readonly static: string };
  /** A signed statement of who asks; absent: none. */
  readonly assertion?: {
    readonly header: string;
    /** Whether requests carry it in `_meta` as well. */
    readonly meta: boolean;
    readonly ttl: Milliseconds;
  };
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
  readonly tls?: ClientTls;
  /** Its own resource identifier (RFC 8707). */
  readonly resource?: string;
  /** `passthrough`: it sees the client's token, which must be for `resource` too. Never together with `credentials`. */
  readonly token: 'strip' | 'passthrough';
  /** What it wants to be shown; absent: nothing. */
  readonly credentials?: UpstreamCredentials;
  /** Lower-case names that pass besides the built-in list. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
}

/** How the gateway logs in at an upstream as a client of OAuth 2.1. Holds a secret. */
export interface OauthSettings {
  /** `shared`: one login for all requests of the route, or of a tenant's; `user`: one for each principal. */
  readonly scope: 'shared' | 'user';
  /** Of a client that is registered already. */
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Of a Client ID Metadata Document, for authorization servers that take one. */
  readonly clientMetadataUrl?: string;
  /** Asked for; absent: what the upstream's challenge or metadata says. */
  readonly scopes?: readonly string[];
  /** Of the callback of `portcullis login`; 0: a free one. */
  readonly redirectPort: number;
  /** Issuers that the upstream may name; empty: one at the upstream's own origin. */
  readonly authorizationServers: readonly string[];
  /** Hosts that the documents of these servers may name besides their own; IPv6 literals in brackets. */
  readonly allowHosts: readonly string[];
  /** PEM text of the certificate authorities for these servers, instead of the system's. */
  readonly ca?: string;
}

/** Holds secrets. */
export type UpstreamCredentials =
  | { readonly kind: 'static'; readonly header: string; readonly value: string }
  | { readonly kind: 'headers'; readonly headers: readonly InboundCredential[] }
  | ({ readonly kind: 'tokenExchange' } & TokenExchange)
  | ({ readonly kind: 'oauth' } & OauthSettings)
  /** Injected by the program that embeds the gateway. */
  | { readonly kind: 'provider'; readonly name: string };

/** A header of the client that becomes one for the upstream. */
export interface InboundCredential {
  /** Lower case. */
  readonly from: string;
  readonly to: string;
  /** Matches the whole value. */
  readonly pattern: RegExp;
  /** Goes before the value with a space between. */
  readonly scheme?: string;
}

/** How the client's token becomes one for the upstream (RFC 8693). */
export interface TokenExchange {
  readonly authorizationServer: AuthorizationServer;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience: string;
  /** Separated by spaces. */
  readonly scope?: string;
}

export interface Weakening {
  /** Where in the file, such as `routes[0].access`. */
  readonly path: string;
  /** A sentence for the operator. */
  readonly says: string;
}
