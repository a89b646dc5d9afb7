/**
 * What must hold after every attack, whatever its answer was: what the upstream saw is what the audit says, one
 * decision per request from the bounded list, one set of identity headers, no connection to where no configuration
 * leads, no secret in any output, no flood of key fetches. What is left over is looked for at the end of a scene.
 */
import { expect } from 'vitest';
import type { Refusal } from '../../src/vocabulary/refusal.ts';
import { expectAudited } from './executed.ts';
import type { AuditEvent, RunningGateway } from './gateway.ts';
import type { Issuer } from './issuer.ts';
import { eventually } from './loopback.ts';
import { strangersReached } from './outbound-connections.ts';
import type { RawResponse } from './raw-response.ts';
import type { RecordedRequest } from './recorded-request.ts';
import type { RecordingUpstream } from './recording-upstream.ts';

export type Reason = Refusal['reason'];

/** What an audit event may say; the type makes this list complete. */
const reasons: Readonly<Record<Reason | 'ok' | 'client_left', true>> = {
  ok: true,
  client_left: true,
  no_credentials: true,
  other_scheme: true,
  malformed_credentials: true,
  several_authorization_headers: true,
  token_malformed: true,
  token_too_long: true,
  token_duplicate_member: true,
  alg_not_allowed: true,
  critical_header: true,
  token_type: true,
  issuer_not_trusted: true,
  key_unknown: true,
  token_signature: true,
  token_expired: true,
  token_not_yet_valid: true,
  token_lifetime: true,
  token_audience: true,
  token_tenant: true,
  token_subject: true,
  token_confirmation: true,
  token_inactive: true,
  proof_missing: true,
  proof_repeated: true,
  proof_malformed: true,
  proof_type: true,
  proof_algorithm: true,
  proof_key: true,
  proof_signature: true,
  proof_binding: true,
  proof_method: true,
  proof_target: true,
  proof_time: true,
  proof_token: true,
  proof_replayed: true,
  proof_nonce: true,
  replay_store_unavailable: true,
  replay_store_full: true,
  keys_unavailable: true,
  key_lookup_cooling_down: true,
  metadata_unavailable: true,
  introspection_failed: true,
  introspection_refused: true,
  introspection_paused: true,
  introspection_busy: true,
  scope_insufficient: true,
  login_needed: true,
  call_denied: true,
  host_not_listed: true,
  origin_not_listed: true,
  no_such_route: true,
  method_not_served: true,
  target_form: true,
  host_header: true,
  duplicate_header: true,
  body_not_expected: true,
  transfer_encoding: true,
  header_lines: true,
  expectation: true,
  content_type: true,
  charset: true,
  content_encoding: true,
  not_utf8: true,
  not_json: true,
  too_deep: true,
  too_many: true,
  duplicate_member: true,
  member_case: true,
  shape: true,
  id: true,
  method: true,
  batch: true,
  body_too_large: true,
  identity_unusable: true,
  upstream_credentials_missing: true,
  upstream_credentials_invalid: true,
  upstream_credentials_refused: true,
  upstream_credentials_unavailable: true,
  exchange_failed: true,
  exchange_refused: true,
  exchange_busy: true,
  credentials_renewed: true,
  token_refresh_failed: true,
  token_store_unavailable: true,
  upstream_login_needed: true,
  login_link: true,
  login_link_used: true,
  login_browser: true,
  login_form: true,
  login_other_person: true,
  login_answer: true,
  login_declined: true,
  login_failed: true,
  login_unavailable: true,
  starting: true,
  stopping: true,
  config_superseded: true,
  streams_limit: true,
  sockets_exhausted: true,
  address_rate: true,
  principal_rate: true,
  route_rate: true,
  tool_rate: true,
  rule_rate: true,
  principal_calls: true,
  principal_streams: true,
  session_unknown: true,
  session_lost: true,
  revision_unknown: true,
  version_header: true,
  method_header: true,
  name_header: true,
  refused: true,
  reset: true,
  garbage: true,
  tls: true,
  redirect: true,
  unauthorized: true,
  connect_timeout: true,
  headers_timeout: true,
  defect: true,
};

/** The parts of a scene that the invariants look at. */
export interface Watched {
  readonly gateway: RunningGateway;
  readonly upstream: RecordingUpstream;
  readonly issuers: readonly Issuer[];
  /** Tokens and the like that were sent; none may show in an output. */
  readonly secrets: ReadonlySet<string>;
  /** Answers so far, as clients saw them. */
  readonly answers: readonly RawResponse[];
  /** Requests that the gateway could parse, so far. */
  readonly asked: number;
  /** Since the start, by the gateway's clock. */
  readonly elapsedMs: number;
}

export interface Expected {
  /** How many of the requests reached the upstream; 0 also means: not a byte (U0). */
  readonly forwarded: number;
  /** Reasons of the audit events since the mark, without regard to order; a single one stands for all. */
  readonly reasons?: readonly (Reason | 'ok' | 'client_left')[];
  /** Requests with a decision since the mark, where the scene couldn't count them itself. */
  readonly requests?: number;
  /** On an open route nobody is known: no identity header at all. */
  readonly identity?: 'principal' | 'none';
}

/** Of the default configuration, lower case. The first two come with every principal. */
export const identityHeaderNames = [
  'x-auth-subject',
  'x-auth-issuer',
  'x-auth-client-id',
  'x-auth-scopes',
  'x-auth-email',
  'x-auth-tenant',
] as const;

/** Five seconds are what a busy machine doubles. */
const leftOverMs = 10_000;

/** The cool-down of the default configuration. */
const cooldownMs = 30_000;

export interface Mark {
  /** Asserts the invariants for what came since the mark; answers the audit events. */
  hold(expected: Expected): Promise<readonly AuditEvent[]>;
}

/** Remembers where the scene stands now. */
export async function mark(scene: Watched): Promise<Mark> {
  const { gateway, upstream } = scene;
  const before = {
    asked: scene.asked,
    audit: gateway.audit.length,
    answers: scene.answers.length,
    requests: upstream.requests.length,
    bytes: bytesAt(upstream),
    refusals: await refusalsCounted(gateway),
  };
  return {
    async hold(expected) {
      const requests = expected.requests ?? scene.asked - before.asked;
      const events = await auditSince(gateway, before.audit, requests);
      expectReasons(events, expected.reasons);
      const forwarded = upstream.requests.slice(before.requests);
      expect(forwarded.map(({ target }) => target)).toHaveLength(expected.forwarded);
      if (expected.forwarded === 0) expect(bytesAt(upstream) - before.bytes).toBe(0);
      for (const request of forwarded) expectIdentity(request, events, expected.identity ?? 'principal');
      expectAudited(forwarded, events);
      expect(strangersReached()).toEqual([]);
      const counted = (await refusalsCounted(gateway)) - before.refusals;
      expect(counted).toBe(events.filter(({ reason }) => reason !== 'ok').length);
      await expectNoSecret(scene, before.answers);
      expectFewKeyFetches(scene);
      return events;
    },
  };
}

function bytesAt(upstream: RecordingUpstream): number {
  return upstream.connections.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** One decision per request: waits for the last, and sees that no request has two. */
async function auditSince(
  gateway: RunningGateway,
  from: number,
  requests: number,
): Promise<readonly AuditEvent[]> {
  await eventually(`${requests} audit events`, () => gateway.audit.length - from >= requests);
  const events = gateway.audit.slice(from);
  expect(events.map(({ reason }) => reason)).toHaveLength(requests);
  expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(requests);
  return events;
}

function expectReasons(events: readonly AuditEvent[], expected: Expected['reasons']): void {
  for (const { decision, reason, status } of events) {
    expect(['allow', 'deny']).toContain(decision);
    expect(Object.hasOwn(reasons, reason), `reason ${reason}`).toBe(true);
    // Who left may have been let in before; every other refusal below 500 is the gate's own.
    if (reason === 'client_left') expect(status).toBe(499);
    // So may the request have been whose session the upstream had lost.
    else if (reason !== 'ok' && reason !== 'session_lost' && status < 500) expect(decision).toBe('deny');
  }
  if (expected === undefined) return;
  const found = events.map(({ reason }) => reason).toSorted();
  const wanted = expected.length === 1 ? events.map(() => String(expected[0])) : [...expected].toSorted();
  expect(found).toEqual(wanted);
}

/** Under every spelling that a server could read as one of the names: exactly the gateway's lines, once each. */
function expectIdentity(
  request: RecordedRequest,
  events: readonly AuditEvent[],
  identity: 'principal' | 'none',
): void {
  const spelt = (name: string): string =>
    name
      .toLowerCase()
      .replace(/^http[_-]/, '')
      .replace(/[_.\s]/g, '-');
  for (const name of identityHeaderNames) {
    const lines = request.headerLines.filter(([found]) => spelt(found) === name);
    const required = name === 'x-auth-subject' || name === 'x-auth-issuer';
    if (identity === 'none') expect(lines).toEqual([]);
    else if (required) expect(lines).toHaveLength(1);
    else expect(lines.length).toBeLessThanOrEqual(1);
  }
  expect(request.header('authorization')).toEqual([]);
  if (identity === 'none') return;
  const known = events.flatMap(({ principal }) =>
    typeof principal === 'object' && principal !== null ? [principal as Record<string, unknown>] : [],
  );
  const [issuer] = request.header('x-auth-issuer');
  const [subject = ''] = request.header('x-auth-subject');
  expect(known).toContainEqual(expect.objectContaining({ issuer, subject: decodeURIComponent(subject) }));
}

async function metricsOf(gateway: RunningGateway): Promise<string> {
  return (await fetch(`${gateway.opsUrl}/metrics`)).text();
}

/** Everything is as it was before the attacks: no stream is open, and without the gateway no connection to the upstream. */
export async function endQuietly({
  gateway,
  upstream,
}: Pick<Watched, 'gateway' | 'upstream'>): Promise<void> {
  const noStreamOpen = async (): Promise<boolean> => {
    // A test may have ended the gateway itself.
    const metrics = await metricsOf(gateway).catch(() => '');
    const open = [...metrics.matchAll(/^portcullis_streams_open\{.*\} (\d+)$/gm)];
    return open.every(([, count]) => count === '0');
  };
  await eventually('no stream is open', noStreamOpen, leftOverMs);
  await gateway.close();
  const noneConnected = (): boolean => upstream.connections.every(({ open }) => !open);
  await eventually('no connection to the upstream is left', noneConnected, leftOverMs);
}

async function refusalsCounted(gateway: RunningGateway): Promise<number> {
  const lines = (await metricsOf(gateway)).split('\n');
  return lines
    .filter((line) => line.startsWith('portcullis_refusals_total{'))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/**
 * The beginnings of a token's claims and of its signature betray as much as the whole, and a log may have cut the
 * rest off. The header is the same for every token of a key.
 */
function telltales(secret: string): readonly string[] {
  const [, ...parts] = secret.split('.');
  return (parts.length === 0 ? [secret] : parts.map((part) => part.slice(0, 40))).filter(
    (part) => part.length >= 24,
  );
}

async function expectNoSecret(scene: Watched, answersFrom: number): Promise<void> {
  const answers = scene.answers
    .slice(answersFrom)
    .map(({ headerLines, body }) => `${JSON.stringify(headerLines)}${body.toString('latin1')}`);
  const outputs = {
    written: scene.gateway.written,
    metrics: await metricsOf(scene.gateway),
    answers: answers.join('\n'),
  };
  for (const secret of scene.secrets) {
    for (const part of telltales(secret)) {
      for (const [name, text] of Object.entries(outputs)) {
        if (text.includes(part)) expect.fail(`${name} shows a secret: ${part.slice(0, 40)}…`);
      }
    }
  }
}

function expectFewKeyFetches({ issuers, elapsedMs }: Watched): void {
  const cooldowns = 1 + Math.floor(elapsedMs / cooldownMs);
  for (const issuer of issuers) expect(issuer.hits(issuer.paths.jwks)).toBeLessThanOrEqual(cooldowns);
}
