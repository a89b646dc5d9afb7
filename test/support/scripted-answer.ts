import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a path of an issuer answers. `normal` is its document; a function answers by itself. */
export type Behaviour =
  | 'normal'
  | 'hang'
  | 'reset'
  | {
      readonly delayMs?: number;
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** Objects become JSON; absent: the path's document. */
      readonly body?: unknown;
    }
  | ((request: IncomingMessage, response: ServerResponse) => void | Promise<void>);

/** What the path would answer normally; undefined: it has no document. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly document: unknown;
}

export async function answerAs(behaviour: Behaviour, { request, response, document }: Asked): Promise<void> {
  request.resume();
  if (behaviour === 'hang') return;
  if (behaviour === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  if (typeof behaviour === 'function') {
    await behaviour(request, response);
    return;
  }
  const told = behaviour === 'normal' ? {} : behaviour;
  if (told.delayMs !== undefined) await sleep(told.delayMs);
  const known = told.body ?? document;
  const body = known ?? { error: 'not_found' };
  response.writeHead(told.status ?? (known === undefined ? 404 : 200), {
    'content-type': 'application/json',
    ...told.headers,
  });
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}
