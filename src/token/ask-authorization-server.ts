import type { Authority } from '../authorization-servers/authority.ts';
import type { Introspection, NotIntrospected } from '../authorization-servers/introspection/introspection.ts';
import type { Introspected } from '../authorization-servers/introspection/introspection-memory.ts';
import type { Route } from '../config/configuration.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { TokenFault } from './fault.ts';
import { judgeAnswer } from './judge-answer.ts';
import type { TokenUse } from './judge-claims.ts';
import { maximumTokenLength } from './parse-jwt.ts';
import type { VerifiedSignature } from './remembered-signatures.ts';
import type { Presentation, Verdict, VerifierParts } from './verify-access-token.ts';

/** Whether any server of the route can be asked about tokens that aren't JWTs. */
export function takesOpaqueTokens({ authorizationServers }: Route): boolean {
  return authorizationServers.some(({ introspection }) => introspection !== undefined);
}

/** Whether a server of the route has called the token active before, however long ago: then nobody invented it. */
export function wasOnceActive(
  token: string,
  { authorizationServers }: Route,
  { authorities }: Pick<VerifierParts, 'authorities'>,
): boolean {
  return authorizationServers.some(
    (server) => server.introspection !== undefined && introspectionOf(authorities.of(server)).knows(token),
  );
}

type Answer = Introspected | NotIntrospected;
type Use = Omit<TokenUse, 'nowMs'>;

/**
 * Whether an opaque token lets its bearer onto this route, by what its authorization server says (RFC 7662). No one can tell whose it is,
 * so the route's servers that are configured for it are asked in their order, up to the first that calls it active; no
 * other ever sees it. Where one couldn't be asked and none knows the token, nothing is known of it. Answers at once where
 * the first server's answer is remembered.
 */
export function verifyOpaqueToken(
  { token, scheme }: Presentation,
  route: Route,
  parts: VerifierParts,
): Verdict | Promise<Verdict> {
  if (token.length > maximumTokenLength)
    return refused({ reason: 'token_too_long', detail: `${token.length} characters` });
  const asked = route.authorizationServers.flatMap((server) =>
    server.introspection === undefined ? [] : [parts.authorities.of(server)],
  );
  const [first] = asked;
  if (first === undefined)
    throw new Error(`no server of route ${route.name} can be asked about opaque tokens`);
  const answer = introspectionOf(first).inspect(token, 'unknown');
  if (!(answer instanceof Promise) && (answer.outcome === 'active' || asked.length === 1))
    return settle({ answer, authority: first }, { route, scheme }, parts);
  return askInTurn({ token, asked, first: answer }, { route, scheme }, parts);
}

interface Round {
  readonly token: string;
  readonly asked: readonly Authority[];
  /** Of the first server. */
  readonly first: Answer | Promise<Answer>;
}

async function askInTurn({ token, asked, first }: Round, use: Use, parts: VerifierParts): Promise<Verdict> {
  const heard: Heard[] = [];
  for (const authority of asked) {
    const isFirst = heard.length === 0;
    const answer = await (isFirst ? first : introspectionOf(authority).inspect(token, 'unknown'));
    if (answer.outcome === 'active') return settle({ answer, authority }, use, parts);
    heard.push({ answer, authority });
  }
  const telling =
    heard.find(({ answer }) => answer.outcome === 'unavailable') ??
    heard.find(({ answer }) => answer.outcome === 'inactive' && answer.expired) ??
    heard[0];
  if (telling === undefined) throw new Error('nobody was asked');
  return settle(telling, use, parts);
}

/**
 * Whether a JWT that has passed every other check is still active, where its server is configured to be asked about
 * JWTs as well. Answers at once where that is remembered.
 */
export function confirmActive(
  { token, scheme }: Presentation,
  verified: VerifiedSignature,
  { route, parts }: { readonly route: Route; readonly parts: VerifierParts },
): Verdict | Promise<Verdict> {
  const { authority } = verified;
  const answer = introspectionOf(authority).inspect(token, 'signed');
  return answer instanceof Promise
    ? answer.then((later) => settle({ answer: later, authority, verified }, { route, scheme }, parts))
    : settle({ answer, authority, verified }, { route, scheme }, parts);
}

interface Heard {
  readonly answer: Answer;
  readonly authority: Authority;
  readonly verified?: VerifiedSignature;
}

function settle({ answer, authority, verified }: Heard, use: Use, parts: VerifierParts): Verdict {
  parts.trace?.({ step: 'introspection', authority, answer });
  switch (answer.outcome) {
    case 'active': {
      const { claims } = answer;
      const judged = judgeAnswer({ authority, claims, verified }, { ...use, nowMs: parts.clock() });
      return 'reason' in judged ? refused(judged) : { ok: true, principal: judged };
    }
    case 'inactive':
      return refused({
        reason: answer.expired ? 'token_expired' : 'token_inactive',
        detail: `${authority.server.name} says that it isn't active`,
      });
    case 'unavailable':
      return { ok: false, refusal: unavailable(answer, authority) };
  }
}

function unavailable({ reason, retryAfterSeconds, detail }: NotIntrospected, { server }: Authority): Refusal {
  return {
    kind: 'authorization-server-unavailable',
    reason,
    retryAfterSeconds,
    detail: `${server.name}: ${detail}`,
  };
}

function introspectionOf({ introspection, server }: Authority): Introspection {
  if (introspection === undefined) throw new Error(`${server.name} can't be asked about tokens`);
  return introspection;
}

function refused(fault: TokenFault): Verdict {
  return { ok: false, refusal: { kind: 'token-invalid', ...fault } };
}
