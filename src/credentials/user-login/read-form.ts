import type { IncomingMessage } from 'node:http';

/** The one form has two short fields. */
const longestForm = 2048;

const formType = /^application\/x-www-form-urlencoded *(?:;|$)/i;

/** Undefined for what is no form, or a longer one. Where the client leaves within it, it never settles: there is no one to answer. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const { 'content-type': type = '', expect } = request.headers;
  if (!formType.test(type) || expect !== undefined) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= longestForm) chunks.push(chunk);
      else {
        // What is still coming is the refusal's affair.
        request.removeAllListeners('data').removeAllListeners('end').pause();
        resolve(undefined);
      }
    });
    request.on('end', () => resolve(new URLSearchParams(Buffer.concat(chunks).toString())));
    // Without a listener a client that leaves would end the process.
    request.on('error', () => {});
  });
}
