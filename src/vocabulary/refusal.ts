/**
 * Why a request isn't served. A value, never thrown; the challenge stage turns it into status, headers and
 * body, telemetry into a log line, an audit event and a metric label.
 *
 * `reason` is a word of a bounded list (metric label, audit). `detail` is for the operator's log only: it may
 * quote claims and configuration, never a credential.
 */
export type Refusal =
  | { readonly kind: 'credentials-missing'; readonly reason: CredentialsReason; readonly detail?: string }
  | { readonly kind: 'credentials-ambiguous'; readonly reason: 'several_authorization_headers' }
  | { readonly kind: 'token-invalid'; readonly reason: TokenReason; readonly detail?: string }
  | { readonly kind: 'proof-invalid'; readonly reason: ProofReason; readonly detail?: string }
  | {
      readonly kind: 'proof-nonce-needed';
      readonly reason: 'proof_nonce';
      /** For the next proof. */
      readonly nonce: string;
    }
  | {
      readonly kind: 'replay-unknown';
      readonly reason: 'replay_store_unavailable' | 'replay_store_full';
      readonly retryAfterSeconds: number;
    }
  | {
      readonly kind: 'authorization-server-unavailable';
      readonly reason: UnavailableReason;
      readonly retryAfterSeconds: number;
      readonly detail?: string;
    }
  | {
      readonly kind: 'scope-insufficient';
      readonly reason: 'scope_insufficient';
      readonly scopes: readonly string[];
      readonly detail?: string;
    }
  | {
      readonly kind: 'login-needed';
      readonly reason: 'login_needed';
      /** Of the rule that may admit whoever logs in. */
      readonly scopes: readonly string[];
      readonly detail: string;
    }
  | {
      readonly kind: 'call-denied';
      readonly reason: 'call_denied';
      readonly shownAs: DeniedAs;
      readonly detail: string;
    }
  | { readonly kind: 'host-refused'; readonly reason: 'host_not_listed'; readonly detail?: string }
  | { readonly kind: 'origin-refused'; readonly reason: 'origin_not_listed'; readonly detail?: string }
  | { readonly kind: 'route-unknown'; readonly reason: 'no_such_route' }
  | { readonly kind: 'method-not-served'; readonly reason: 'method_not_served'; readonly allow: string }
  | { readonly kind: 'request-malformed'; readonly reason: RequestReason; readonly detail?: string }
  | { readonly kind: 'headers-too-many'; readonly reason: 'header_lines' }
  | { readonly kind: 'expectation-refused'; readonly reason: 'expectation' }
  | {
      readonly kind: 'media-type-refused';
      readonly reason: 'content_type' | 'charset' | 'content_encoding';
      readonly detail: string;
    }
  | {
      readonly kind: 'message-refused';
      readonly reason: MessageReason;
      /** JSON-RPC 2.0 §5.1. */
      readonly code: -32700 | -32600;
      readonly detail?: string;
    }
  | {
      /** On a route with rules: they were written for other revisions. */
      readonly kind: 'revision-unknown';
      readonly reason: 'revision_unknown';
      /** A word of at most 32 characters; empty where the client named anything else. */
      readonly requested: string;
    }
  | {
      readonly kind: 'header-mismatch';
      readonly reason: 'version_header' | 'method_header' | 'name_header';
    }
  | { readonly kind: 'body-too-large'; readonly reason: 'body_too_large' }
  | { readonly kind: 'identity-unusable'; readonly reason: 'identity_unusable'; readonly detail: string }
  | {
      readonly kind: 'upstream-credentials-missing';
      readonly reason: UpstreamCredentialsReason;
      readonly detail?: string;
    }
  | {
      readonly kind: 'upstream-credentials-unavailable';
      readonly reason: UpstreamCredentialsUnavailableReason;
      readonly retryAfterSeconds: number;
      readonly detail?: string;
    }
  | {
      readonly kind: 'upstream-login-needed';
      readonly reason: 'upstream_login_needed';
      /** Name of the route. */
      readonly server: string;
      /** The command that mends it. */
      readonly login: string;
      /** Where the person mends it in a browser; holds a link that is theirs alone. */
      readonly url?: string;
      /** The client has said that it can have a person open an address (MCP 2026-07-28). */
      readonly opensUrls?: true;
      readonly detail: string;
    }
  | {
      readonly kind: 'user-login-refused';
      readonly reason: UserLoginReason;
      /** Whom the browser is logged in as, in their own words; where that is someone else. */
      readonly visitor?: string;
      readonly detail?: string;
    }
  | { readonly kind: 'session-unknown'; readonly reason: 'session_unknown' }
  | {
      readonly kind: 'session-lost';
      readonly reason: 'session_lost';
      /** The dialect in which the upstream said so. */
      readonly detail: string;
    }
  | { readonly kind: 'not-ready'; readonly reason: 'starting' | 'stopping' | 'config_superseded' }
  | {
      readonly kind: 'route-full';
      readonly reason: 'streams_limit' | 'sockets_exhausted';
      readonly detail?: string;
    }
  | { readonly kind: 'principal-full'; readonly reason: 'principal_calls' | 'principal_streams' }
  | {
      readonly kind: 'rate-exceeded';
      readonly reason: RateReason;
      /** Until the window ends, 1 at least. */
      readonly retryAfterSeconds: number;
    }
  | { readonly kind: 'upstream-failed'; readonly reason: UpstreamReason; readonly detail?: string }
  | {
      readonly kind: 'upstream-silent';
      readonly reason: 'connect_timeout' | 'headers_timeout';
      readonly detail?: string;
    }
  | { readonly kind: 'defect'; readonly reason: 'defect' };

/** A denied call is told as such, or as one of a name that isn't there; the last in the manner of MCP 2026-07-28. */
export type DeniedAs =
  | 'not-allowed'
  | 'unknown-tool'
  | 'unknown-prompt'
  | 'unknown-resource'
  | 'unknown-method'
  | 'unknown-method-modern';

export type CredentialsReason = 'no_credentials' | 'other_scheme' | 'malformed_credentials';

export type TokenReason =
  | 'token_malformed'
  | 'token_too_long'
  | 'token_duplicate_member'
  | 'alg_not_allowed'
  | 'critical_header'
  | 'token_type'
  | 'issuer_not_trusted'
  | 'key_unknown'
  | 'token_signature'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_lifetime'
  | 'token_audience'
  | 'token_tenant'
  | 'token_subject'
  | 'token_confirmation'
  | 'token_inactive';

/** Why a DPoP proof isn't accepted (RFC 9449 §4.3). */
export type ProofReason =
  | 'proof_missing'
  | 'proof_repeated'
  | 'proof_malformed'
  | 'proof_type'
  | 'proof_algorithm'
  | 'proof_key'
  | 'proof_signature'
  | 'proof_binding'
  | 'proof_method'
  | 'proof_target'
  | 'proof_time'
  | 'proof_token'
  | 'proof_replayed';

export type UnavailableReason =
  | 'keys_unavailable'
  | 'key_lookup_cooling_down'
  | 'metadata_unavailable'
  | 'introspection_failed'
  | 'introspection_refused'
  | 'introspection_paused'
  | 'introspection_busy';

/** Why there is nothing that the upstream could be shown for this request. */
export type UpstreamCredentialsReason =
  | 'upstream_credentials_missing'
  | 'upstream_credentials_invalid'
  | 'upstream_credentials_refused';

/** Why it isn't known whether there is. */
export type UpstreamCredentialsUnavailableReason =
  | 'upstream_credentials_unavailable'
  | 'exchange_failed'
  | 'exchange_refused'
  | 'exchange_busy'
  | 'credentials_renewed'
  | 'token_refresh_failed'
  | 'token_store_unavailable';

/** Why a person's own login at an upstream came to nothing. */
export type UserLoginReason =
  | 'login_link'
  | 'login_link_used'
  | 'login_browser'
  | 'login_form'
  | 'login_other_person'
  | 'login_answer'
  | 'login_declined'
  | 'login_failed'
  | 'login_unavailable';

export type RequestReason =
  | 'target_form'
  | 'host_header'
  | 'duplicate_header'
  | 'body_not_expected'
  | 'transfer_encoding';

/** Whose rate it is that a request went beyond. */
export type RateReason = 'address_rate' | 'principal_rate' | 'route_rate' | 'tool_rate' | 'rule_rate';

export type MessageReason =
  | 'not_utf8'
  | 'not_json'
  | 'too_deep'
  | 'too_many'
  | 'duplicate_member'
  | 'member_case'
  | 'shape'
  | 'id'
  | 'method'
  | 'batch';

export type UpstreamReason = 'refused' | 'reset' | 'garbage' | 'tls' | 'redirect' | 'unauthorized';
