import type { Authority } from '../authorization-servers/authority.ts';
import { liveScopesBy } from '../authorization-servers/metadata/advertised-scopes.ts';
import { Authorities } from '../authorization-servers/authority.ts';
import { keyAddress } from '../authorization-servers/keys/fetch-keys.ts';
import type { Answer } from '../challenge/answer.ts';
import { answerFor } from '../challenge/answer.ts';
import { challengesOf } from '../challenge/www-authenticate.ts';
import type { Configuration, Route } from '../config/configuration.ts';
import type { ReadMessage } from '../mcp/read-message.ts';
import { checkScopes } from '../token/check-scopes.ts';
import type { Scheme } from '../token/credentials.ts';
import { readCredentials } from '../token/credentials.ts';
import { isOpaque } from '../token/opaque-token.ts';
import { RememberedSignatures } from '../token/remembered-signatures.ts';
import type { Step } from '../token/trace.ts';
import type { Presentation, Verdict, VerifierParts } from '../token/verify-access-token.ts';
import { verifyAccessToken } from '../token/verify-access-token.ts';
import type { KeyFetch, Observer } from '../vocabulary/observer.ts';
import { silentObserver } from '../vocabulary/observer.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { ExplainPorts } from './explain.ts';
import type { JudgedCall } from './judge-call.ts';
import { judgeCall } from './judge-call.ts';

/** What became of a token on a route, step by step. It holds claims, never the token. */
export interface Explanation {
  readonly route: Route;
  /** When it was judged; milliseconds since the epoch. */
  readonly nowMs: number;
  /** Absent where no token was found. */
  readonly presented?: Presented;
  /** Where no token was given: claims, or nothing. */
  readonly instead?: 'claims' | 'nothing';
  /** Absent where none was asked about, or it didn't come to that. */
  readonly call?: JudgedCall;
  readonly steps: readonly Step[];
  /** By the name of the authorization server: what asking for its keys gave. */
  readonly keySources: ReadonlyMap<string, KeySource>;
  readonly outcome: Outcome;
}

export interface Presented {
  readonly scheme: Scheme;
  /** In characters. */
  readonly length: number;
  readonly isOpaque: boolean;
}

export interface KeySource {
  readonly fetch: KeyFetch;
  /** Where the keys came from; undefined where they didn't. */
  readonly url: string | undefined;
}

export type Outcome =
  | { readonly is: 'open' }
  /** No token, on a route where none is needed. */
  | { readonly is: 'nobody' }
  | { readonly is: 'allowed'; readonly principal: Principal }
  | Refused;

interface Refused {
  /** `undecided`: an authorization server couldn't be asked. */
  readonly is: 'denied' | 'undecided';
  readonly refusal: Refusal;
  readonly answer: Answer;
  /** There where the token held and its scopes don't suffice. */
  readonly principal: Principal | undefined;
}

export interface Question {
  readonly shown: Shown;
  readonly route: Route;
  /** Read as the gateway reads it. */
  readonly call: ReadMessage | undefined;
  readonly configuration: Configuration;
}

/** How the caller is known. */
export type Shown =
  /** The value of `Authorization`. */
  | { readonly by: 'token'; readonly sent: string }
  /** Taken as if a token with such claims had held. */
  | { readonly by: 'claims'; readonly principal: Principal }
  | { readonly by: 'nothing' };

/**
 * Judges as the gateway does: credentials, token, the route's scopes, and the call where one is asked about. There is no
 * request, so nothing is known of a proof that it may have to carry.
 */
export async function explainRequest(question: Question, ports: ExplainPorts): Promise<Explanation> {
  const { route } = question;
  const fetches: KeyFetch[] = [];
  const observer: Observer = { ...silentObserver, keysFetched: (report) => void fetches.push(report) };
  const authorities = new Authorities(question.configuration, { ...ports, observer });
  try {
    const judged = await judge(question, { authorities, observer, clock: ports.clock });
    const keySources = await sourcesOf(candidatesIn(judged.steps), fetches);
    return { route, nowMs: ports.clock(), keySources, ...judged };
  } finally {
    authorities.close();
  }
}

type Parts = Omit<VerifierParts, 'remembered' | 'trace'>;
type Judged = Pick<Explanation, 'presented' | 'instead' | 'steps' | 'outcome' | 'call'>;

async function judge(question: Question, parts: Parts): Promise<Judged> {
  const { route } = question;
  const known = await judgeCaller(question, parts);
  const { outcome } = known;
  if (question.call === undefined || 'refusal' in outcome) return known;
  const principal = outcome.is === 'allowed' ? outcome.principal : null;
  const call = judgeCall(question.call, { principal, route });
  if (call.refusal === undefined) return { ...known, call };
  const refused = await refusedOn(route, call.refusal, {
    ...parts,
    id: question.call.ok ? '1' : question.call.id,
  });
  return { ...known, call, outcome: { ...refused, principal: principal ?? undefined } };
}

async function judgeCaller({ shown, route }: Question, parts: Parts): Promise<Judged> {
  if (route.access === 'open') return { steps: [], outcome: { is: 'open' } };
  switch (shown.by) {
    case 'token':
      return judgeToken(shown.sent, route, parts);
    case 'claims':
      return { ...(await judgeScopes(shown.principal, route, parts)), instead: 'claims', steps: [] };
    case 'nothing': {
      if (route.access === 'optional') return { instead: 'nothing', steps: [], outcome: { is: 'nobody' } };
      const missing: Refusal = { kind: 'credentials-missing', reason: 'no_credentials' };
      const outcome = await refusedOn(route, missing, parts);
      return { instead: 'nothing', steps: [], outcome };
    }
  }
}

async function judgeToken(sent: string, route: Route, parts: Parts): Promise<Judged> {
  const credentials = readCredentials(['Authorization', sent], route.dpop);
  if (!credentials.ok) return { steps: [], outcome: await refusedOn(route, credentials.refusal, parts) };
  const { token, scheme } = credentials;
  const { verdict, steps } = await verifyTraced({ token, scheme, connection: {} }, route, parts);
  const presented = { scheme, length: token.length, isOpaque: isOpaque(token) };
  if (!verdict.ok) return { presented, steps, outcome: await refusedOn(route, verdict.refusal, parts) };
  return { presented, steps, ...(await judgeScopes(verdict.principal, route, parts)) };
}

async function judgeScopes(
  principal: Principal,
  route: Route,
  parts: Parts,
): Promise<Pick<Judged, 'outcome'>> {
  const refusal = checkScopes(principal, route);
  if (refusal === undefined) return { outcome: { is: 'allowed', principal } };
  return { outcome: { ...(await refusedOn(route, refusal, parts)), principal } };
}

interface Refusing {
  readonly authorities: Authorities;
  /** Of the message, as JSON text. */
  readonly id?: string | null;
}

async function refusedOn(
  route: Route,
  refusal: Refusal,
  { authorities, id = null }: Refusing,
): Promise<Refused> {
  const isLive = route.challengeScopes === 'from-authorization-server';
  const liveScopes = isLive ? await liveScopesBy(authorities)(route).get() : [];
  return {
    is: refusal.kind === 'authorization-server-unavailable' ? 'undecided' : 'denied',
    refusal,
    answer: answerFor(refusal, { challenges: challengesOf(route, liveScopes), id }),
    principal: undefined,
  };
}

interface Traced {
  readonly verdict: Verdict;
  readonly steps: readonly Step[];
}

async function verifyTraced(presentation: Presentation, route: Route, parts: Parts): Promise<Traced> {
  const verify = async (): Promise<Traced> => {
    const steps: Step[] = [];
    const trace = (step: Step): void => void steps.push(step);
    const remembered = new RememberedSignatures();
    return { verdict: await verifyAccessToken(presentation, route, { ...parts, remembered, trace }), steps };
  };
  const traced = await verify();
  if (traced.verdict.ok || traced.verdict.refusal.reason !== 'keys_unavailable') return traced;
  // A request waits for slow keys only so long; here there is time until the key time-out.
  await Promise.all(candidatesIn(traced.steps).map(({ keys }) => keys.ask()));
  return verify();
}

function candidatesIn(steps: readonly Step[]): readonly Authority[] {
  return steps.flatMap((step) => (step.step === 'issuer' ? step.candidates : []));
}

async function sourcesOf(
  authorities: readonly Authority[],
  fetches: readonly KeyFetch[],
): Promise<ReadonlyMap<string, KeySource>> {
  const sources = new Map<string, KeySource>();
  for (const { server, metadata } of authorities) {
    const fetch = fetches.findLast(({ authorizationServer }) => authorizationServer === server.name);
    if (fetch === undefined) continue;
    const address = fetch.outcome === 'success' ? await keyAddress(server, metadata) : undefined;
    sources.set(server.name, { fetch, url: address?.ok === true ? address.url : undefined });
  }
  return sources;
}
