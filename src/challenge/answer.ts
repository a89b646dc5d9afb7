import type { DeniedAs, Refusal, UpstreamCredentialsReason } from '../vocabulary/refusal.ts';
import { knownRevisions } from '../vocabulary/revision.ts';
import { jsonHeaders } from './json-headers.ts';
import { loginAnswer, loginInput } from './login-answers.ts';
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
      return unavailable(answer, 'Used proofs cannot be looked up', refusal.retryAfterSeconds);
    case 'authorization-server-unavailable':
      return unavailable(answer, 'The authorization server is unavailable', refusal.retryAfterSeconds);
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
    case 'revision-unknown':
      return withData(answer(400, -32022, 'Unsupported protocol version'), {
        supported: knownRevisions,
        requested: refusal.requested,
      });
    case 'header-mismatch':
      return answer(400, -32020, 'Header mismatch');
    case 'body-too-large':
      return answer(413, 41300, 'The body is too large');
    case 'identity-unusable':
      return answer(403, 40300, 'The identity cannot be passed on');
    case 'defect':
    case 'not-ready':
    case 'principal-full':
    case 'rate-exceeded':
    case 'route-full':
    case 'session-lost':
    case 'session-unknown':
    case 'upstream-credentials-missing':
    case 'upstream-credentials-unavailable':
    case 'upstream-failed':
    case 'upstream-login-needed':
    case 'upstream-silent':
      return unservedFor(refusal, { answer, id });
    case 'user-login-refused':
      return loginAnswer(refusal);
    default:
      return unreachable(refusal);
  }
}

/** What stands between a request that may pass and its answer: the gateway's own state, its limits, the MCP server. */
type Unserved = Extract<
  Refusal,
  {
    readonly kind:
      | `upstream-${string}`
      | `session-${string}`
      | 'not-ready'
      | 'route-full'
      | 'principal-full'
      | 'rate-exceeded'
      | 'defect';
  }
>;

function unservedFor(
  refusal: Unserved,
  { answer, id }: { readonly answer: Answering; readonly id: string | null },
): Answer {
  switch (refusal.kind) {
    case 'upstream-credentials-missing':
      return answer(403, 40310, credentialsText(refusal.reason));
    case 'upstream-credentials-unavailable':
      return unavailable(answer, 'Credentials for the MCP server are unavailable', refusal.retryAfterSeconds);
    case 'upstream-login-needed':
      return (
        loginInput(refusal, id) ??
        withData(answer(502, 50210, 'The MCP server needs a new login'), {
          needs_reauth: true,
          server: refusal.server,
          login: refusal.login,
          ...(refusal.url === undefined ? {} : { url: refusal.url }),
        })
      );
    case 'session-unknown':
    case 'session-lost':
      return answer(404, 40400, 'No such session');
    case 'not-ready':
      return unavailable(answer, notReady[refusal.reason], 1);
    case 'route-full':
      return unavailable(answer, 'Too many open streams', 1);
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
    headers: { ...jsonHeaders, ...headers },
    body: `{"jsonrpc":"2.0","id":${id ?? 'null'},"error":{"code":${code},"message":${JSON.stringify(message)}}}`,
  });
}

function unavailable(answer: Answering, message: string, retryAfterSeconds: number): Answer {
  return answer(503, 50300, message, { 'retry-after': String(retryAfterSeconds) });
}

/** What a program can act on, besides the sentence. */
function withData(
  answer: Answer,
  data: Readonly<Record<string, string | boolean | readonly string[]>>,
): Answer {
  return { ...answer, body: `${answer.body.slice(0, -2)},"data":${JSON.stringify(data)}}}` };
}

type Challenging = (value: keyof Challenges, scopes?: readonly string[]) => AnswerHeaders;

function challengedBy(challenges: Challenges | undefined): Challenging {
  return (value, scopes = []) => {
    const challenge = challenges?.[value];
    if (challenge === undefined) return {};
    return { 'www-authenticate': typeof challenge === 'function' ? challenge(scopes) : challenge };
  };
}

/** A client that sends them itself must be able to tell what it did wrong. */
function credentialsText(reason: UpstreamCredentialsReason): string {
  switch (reason) {
    case 'upstream_credentials_missing':
      return 'Credentials for the MCP server are missing';
    case 'upstream_credentials_invalid':
      return 'Credentials for the MCP server are invalid';
    case 'upstream_credentials_refused':
      return 'Credentials for the MCP server are refused';
  }
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

const notReady = {
  starting: 'Starting',
  stopping: 'Stopping',
  config_superseded: 'The configuration has changed',
} as const satisfies Record<Extract<Refusal, { readonly kind: 'not-ready' }>['reason'], string>;
