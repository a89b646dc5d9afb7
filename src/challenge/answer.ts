import type { DeniedAs, Refusal } from '../vocabulary/refusal.ts';
import type { Challenge, Challenges } from './www-authenticate.ts';

type AnswerHeaders = Readonly<Record<string, Challenge>>;

/** What goes over the wire for a refusal. */
export interface Answer {
  readonly status: number;
  /** A list: one line for each value. */
  readonly headers: AnswerHeaders;
  readonly body: string;
}

export interface AnswerContext {
  /** Absent outside the configured routes. */
  readonly challenges: Challenges | undefined;
  /** JSON text of the request's id, where a JSON-RPC body was read. */
  readonly id: string | null;
}

/**
 * The wire's projection of a refusal: one status, one constant text, never the reason. It is the only place
 * that knows statuses and challenges. Codes outside JSON-RPC's reserved range are the gateway's own.
 */
export function answerFor(refusal: Refusal, { challenges, id }: AnswerContext): Answer {
  const answer = answering(id);
  const challenged = challengedBy(challenges);
  const unavailable = (message: string, retryAfterSeconds: number): Answer =>
    answer(503, 50300, message, { 'retry-after': String(retryAfterSeconds) });

  switch (refusal.kind) {
    case 'credentials-missing':
      return answer(401, 40100, 'Authentication is required', challenged('missing'));
    case 'credentials-ambiguous':
      return answer(400, -32600, 'More than one Authorization header', challenged('ambiguous'));
    case 'token-invalid': {
      const expired = refusal.reason === 'token_expired';
      const text = expired ? 'The access token expired' : 'The access token is invalid';
      return answer(401, 40100, text, challenged(expired ? 'expired' : 'invalid'));
    }
    case 'proof-invalid':
      return answer(401, 40100, 'The DPoP proof is invalid', challenged('invalidProof'));
    case 'proof-nonce-needed':
      return answer(401, 40100, 'The DPoP proof needs this nonce', {
        ...challenged('nonceNeeded'),
        'dpop-nonce': refusal.nonce,
      });
    case 'replay-unknown':
      return unavailable('Used proofs cannot be looked up', refusal.retryAfterSeconds);
    case 'authorization-server-unavailable':
      return unavailable('The authorization server is unavailable', refusal.retryAfterSeconds);
    case 'scope-insufficient':
      return answer(403, 40301, 'More scopes are required', challenged('insufficientScope', refusal.scopes));
    case 'login-needed':
      return answer(401, 40100, 'Authentication is required', challenged('loginNeeded', refusal.scopes));
    case 'call-denied':
      return deniedAs(refusal.shownAs, answer);
    case 'host-refused':
      return answer(403, 40300, 'This host is not served here');
    case 'origin-refused':
      return answer(403, 40300, 'This origin is not allowed');
    case 'route-unknown':
      return answer(404, 40400, 'Not found');
    case 'method-not-served':
      return answer(405, -32600, 'Method not allowed', { allow: refusal.allow });
    case 'request-malformed':
      return answer(400, -32600, 'Bad request');
    case 'headers-too-many':
      return answer(431, -32600, 'Too many header lines', { connection: 'close' });
    case 'expectation-refused':
      return answer(417, -32600, 'Only 100-continue can be expected');
    case 'media-type-refused':
      return answer(415, -32600, 'The body must be application/json in UTF-8, without content encoding', {
        'accept-encoding': 'identity',
      });
    case 'message-refused':
      return answer(400, refusal.code, refusal.code === -32700 ? 'Parse error' : 'Invalid request');
    case 'header-mismatch':
      return answer(400, -32020, 'Header mismatch');
    case 'body-too-large':
      return answer(413, 41300, 'The body is too large');
    case 'identity-unusable':
      return answer(403, 40300, 'The identity cannot be passed on');
    case 'session-unknown':
    case 'session-lost':
      return answer(404, 40400, 'No such session');
    case 'not-ready':
      return unavailable(refusal.reason === 'starting' ? 'Starting' : 'Stopping', 1);
    case 'route-full':
      return unavailable('Too many open streams', 1);
    case 'principal-full':
      return answer(429, 42900, 'Too many requests under way', { 'retry-after': '1' });
    case 'rate-exceeded':
      return answer(429, 42900, 'Too many requests', { 'retry-after': String(refusal.retryAfterSeconds) });
    case 'upstream-failed':
      return answer(502, 50200, 'The MCP server failed');
    case 'upstream-silent':
      return answer(504, 50400, 'The MCP server did not answer in time');
    case 'defect':
      return answer(500, -32603, 'Internal error');
    default:
      return unreachable(refusal);
  }
}

type Answering = (status: number, code: number, message: string, headers?: AnswerHeaders) => Answer;

function answering(id: string | null): Answering {
  return (status, code, message, headers = {}) => ({
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body: `{"jsonrpc":"2.0","id":${id ?? 'null'},"error":{"code":${code},"message":${JSON.stringify(message)}}}`,
  });
}

type Challenging = (value: keyof Challenges, scopes?: readonly string[]) => AnswerHeaders;

function challengedBy(challenges: Challenges | undefined): Challenging {
  return (value, scopes = []) => {
    const challenge = challenges?.[value];
    if (challenge === undefined) return {};
    return { 'www-authenticate': typeof challenge === 'function' ? challenge(scopes) : challenge };
  };
}

/** What isn't there is answered as MCP servers do, in body and status; no byte of it comes from the request. */
function deniedAs(shownAs: DeniedAs, answer: Answering): Answer {
  switch (shownAs) {
    case 'not-allowed':
      return answer(403, 40300, 'This call is not allowed');
    case 'unknown-tool':
      return answer(200, -32602, 'Unknown tool');
    case 'unknown-prompt':
      return answer(200, -32602, 'Unknown prompt');
    case 'unknown-resource':
      return answer(200, -32602, 'Unknown resource');
    case 'unknown-method':
      return answer(200, -32601, 'Method not found');
    case 'unknown-method-modern':
      return answer(404, -32601, 'Method not found');
  }
}

function unreachable(refusal: never): never {
  throw new Error(`no answer for ${JSON.stringify(refusal)}`);
}
