import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ExchangeEnd } from '../../src/vocabulary/exchange.ts';
import type { Refusal } from '../../src/vocabulary/refusal.ts';

const file = new URL('../../docs/reference/audit.schema.json', import.meta.url);

/** The published schema of audit events. */
export const auditSchema = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly properties: Readonly<Record<'reason' | 'end', { readonly enum: readonly string[] }>>;
};

/** What is wrong with an event; undefined: nothing. */
export function auditFault(event: unknown): string | undefined {
  return validate(event) ? undefined : `${ajv.errorsText(validate.errors)}: ${JSON.stringify(event)}`;
}

const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
const validate = ajv.compile(auditSchema);

/** Every word that an event may have as its reason; the compiler sees to it that none is missing or too many. */
export const reasons: readonly string[] = Object.keys({
  ok: 1,
  client_left: 1,
  no_credentials: 1,
  other_scheme: 1,
  malformed_credentials: 1,
  several_authorization_headers: 1,
  token_malformed: 1,
  token_too_long: 1,
  token_duplicate_member: 1,
  alg_not_allowed: 1,
  critical_header: 1,
  token_type: 1,
  issuer_not_trusted: 1,
  key_unknown: 1,
  token_signature: 1,
  token_expired: 1,
  token_not_yet_valid: 1,
  token_lifetime: 1,
  token_audience: 1,
  token_tenant: 1,
  token_subject: 1,
  token_confirmation: 1,
  token_inactive: 1,
  proof_missing: 1,
  proof_repeated: 1,
  proof_malformed: 1,
  proof_type: 1,
  proof_algorithm: 1,
  proof_key: 1,
  proof_signature: 1,
  proof_binding: 1,
  proof_method: 1,
  proof_target: 1,
  proof_time: 1,
  proof_token: 1,
  proof_replayed: 1,
  proof_nonce: 1,
  replay_store_unavailable: 1,
  replay_store_full: 1,
  keys_unavailable: 1,
  key_lookup_cooling_down: 1,
  metadata_unavailable: 1,
  introspection_failed: 1,
  introspection_refused: 1,
  introspection_paused: 1,
  introspection_busy: 1,
  scope_insufficient: 1,
  login_needed: 1,
  call_denied: 1,
  host_not_listed: 1,
  origin_not_listed: 1,
  no_such_route: 1,
  method_not_served: 1,
  target_form: 1,
  host_header: 1,
  duplicate_header: 1,
  body_not_expected: 1,
  transfer_encoding: 1,
  header_lines: 1,
  expectation: 1,
  content_type: 1,
  charset: 1,
  content_encoding: 1,
  not_utf8: 1,
  not_json: 1,
  too_deep: 1,
  too_many: 1,
  duplicate_member: 1,
  member_case: 1,
  shape: 1,
  id: 1,
  method: 1,
  batch: 1,
  body_too_large: 1,
  identity_unusable: 1,
  starting: 1,
  stopping: 1,
  streams_limit: 1,
  sockets_exhausted: 1,
  address_rate: 1,
  principal_rate: 1,
  route_rate: 1,
  tool_rate: 1,
  rule_rate: 1,
  principal_calls: 1,
  principal_streams: 1,
  session_unknown: 1,
  session_lost: 1,
  version_header: 1,
  method_header: 1,
  name_header: 1,
  refused: 1,
  reset: 1,
  garbage: 1,
  tls: 1,
  redirect: 1,
  unauthorized: 1,
  connect_timeout: 1,
  headers_timeout: 1,
  defect: 1,
} satisfies Record<Refusal['reason'] | 'ok' | 'client_left', 1>);

export const ends: readonly string[] = Object.keys({
  complete: 1,
  client_left: 1,
  upstream_reset: 1,
  idle_timeout: 1,
  token_expired: 1,
  token_revoked: 1,
  stopping: 1,
} satisfies Record<ExchangeEnd, 1>);
