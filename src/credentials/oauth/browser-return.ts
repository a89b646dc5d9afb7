import * as oauth from 'oauth4webapi';

import { errorCode } from './login-client.ts';

/**
 * Why what a browser brought back is no login: the person said no; it isn't an answer that the authorization server
 * gave, or takes; or the server failed. The first two are the sender's word, which anybody may have written.
 */
export interface ReturnFault {
  readonly ok: false;
  readonly why: 'declined' | 'answer' | 'failed';
  /** For the operator, without codes. */
  readonly detail: string;
}

type CheckedReturn = { readonly ok: true; readonly parameters: URLSearchParams } | ReturnFault;

interface Awaited {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly state: string;
}

/**
 * The authorization response (RFC 6749 §4.1.2): state, and which server answered (RFC 9207), so that a code of another
 * server is never sent to this one. It doesn't check the code: its server does.
 */
export function checkReturn(parameters: URLSearchParams, { server, client, state }: Awaited): CheckedReturn {
  const foreign: ReturnFault = {
    ok: false,
    why: 'answer',
    detail: `${server.issuer}: what came back is not the answer to this login`,
  };
  try {
    const checked = oauth.validateAuthResponse(server, client, parameters, state);
    return parameters.getAll('code').length === 1 ? { ok: true, parameters: checked } : foreign;
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError) {
      const why = error.error === 'access_denied' ? 'declined' : 'answer';
      return { ok: false, why, detail: `${server.issuer}: it answered ${errorCode(error.error)}` };
    }
    return foreign;
  }
}

/** What the token endpoint answered to the code; undefined where it gave no error of OAuth's (RFC 6749 §5.2). */
export function faultOfCode(error: unknown, issuer: string): ReturnFault | undefined {
  if (!(error instanceof oauth.ResponseBodyError)) return undefined;
  // A code that it doesn't know, that has ended, or that it gave for another login.
  const why = error.error === 'invalid_grant' ? 'answer' : 'failed';
  return { ok: false, why, detail: `${issuer}: it answered ${errorCode(error.error)}` };
}
