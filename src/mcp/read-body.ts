import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Refusal } from '../vocabulary/refusal.ts';

export type Body =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Reads a request's body whole, up to `limitBytes`, and hands it to `done` once. A client that announced it with
 * `Expect: 100-continue` is told only now to send it: whoever gets here has been let in (RFC 9110 §10.1.1). Where
 * the client leaves within its body, `done` isn't called: there is no one to answer.
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limitBytes: number,
  done: (body: Body) => void,
): void {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return done(tooLarge);
  if (request.headers.expect !== undefined) response.writeContinue();
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limitBytes) chunks.push(chunk);
    else {
      // What is still coming is the refusal's affair.
      request.removeAllListeners('data').removeAllListeners('end').pause();
      done(tooLarge);
    }
  });
  request.on('end', () => {
    const [only] = chunks;
    done({ ok: true, bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size) });
  });
  // Without a listener a client that leaves would end the process.
  request.on('error', () => {});
}

const tooLarge: Body = { ok: false, refusal: { kind: 'body-too-large', reason: 'body_too_large' } };
