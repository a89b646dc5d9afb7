import type { Authority } from '../authorization-servers/authority.ts';
import { liveScopesBy } from '../authorization-servers/metadata/advertised-scopes.ts';
import { Authorities } from '../authorization-servers/authority.ts';
import { keyAddress } from '../authorization-servers/keys/fetch-keys.ts';
import type { Answer } from '../challenge/answer.ts';
import { answerFor } from '../challenge/answer.ts';
import { challengesOf } from '../challenge/www-authenticate.ts';
import type { Configuration, Route } from '../config/configuration.ts';
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

/** What became of a token on a route, step by step. It holds claims, never the token. */
export interface Explanation {
  readonly route: Route;
  /** When it was judged; milliseconds since the epoch. */
  readonly nowMs: number;
  /** Absent where no token was found. */
  readonly presented?: Presented;
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
  /** The value of `Authorization`. */
  readonly sent: string;
  readonly route: Route;
  readonly configuration: Configuration;
}

/**
 * Judges as the gateway does: credentials, token, the route's scopes. There is no request, so nothing is known of its
 * message, nor of a proof that it may have to carry.
 */
export async function explainToken(question: Question, ports: ExplainPorts): Promise<Explanation> {
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
type Judged = Pick<Explanation, 'presented' | 'steps' | 'outcome'>;

async function judge({ sent, route }: Question, parts: Parts): Promise<Judged> {
  if (route.access === 'open') return { steps: [], outcome: { is: 'open' } };
  const credentials = readCredentials(['Authorization', sent], route.dpop);
  if (!credentials.ok)
    return { steps: [], outcome: await refusedOn(route, credentials.refusal, parts.authorities) };
  const { token, scheme } = credentials;
  const { verdict, steps } = await verifyTraced({ token, scheme, connection: {} }, route, parts);
  const presented = { scheme, length: token.length, isOpaque: isOpaque(token) };
  if (!verdict.ok)
    return { presented, steps, outcome: await refusedOn(route, verdict.refusal, parts.authorities) };
  const { principal } = verdict;
  const refusal = checkScopes(principal, route);
  if (refusal === undefined) return { presented, steps, outcome: { is: 'allowed', principal } };
  const outcome = { ...(await refusedOn(route, refusal, parts.authorities)), principal };
  return { presented, steps, outcome };
}

async function refusedOn(route: Route, refusal: Refusal, authorities: Authorities): Promise<Refused> {
  const isLive = route.challengeScopes === 'from-authorization-server';
  const liveScopes = isLive ? await liveScopesBy(authorities)(route).get() : [];
  return {
    is: refusal.kind === 'authorization-server-unavailable' ? 'undecided' : 'denied',
    refusal,
    answer: answerFor(refusal, { challenges: challengesOf(route, liveScopes), id: null }),
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
