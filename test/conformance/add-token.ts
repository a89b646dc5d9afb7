/**
 * Loaded into the suite with `--import`, because the suite can't send a token: adds one to every request to the
 * gateway's origin and to no other. undici's requests are told by the address they go to, so that one with a
 * foreign `Host` has it as well; those of `node:http` by their `Host`, which they don't change.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';

interface UndiciRequest {
  readonly origin: string | URL;
  addHeader(name: string, value: string): void;
}

const origin = process.env['CONFORMANCE_ORIGIN'] ?? '';
const token = process.env['CONFORMANCE_TOKEN'] ?? '';
const authorization = `Bearer ${token}`;

subscribe('undici:request:create', (message) => {
  const { request } = message as { readonly request: UndiciRequest };
  if (String(request.origin) === origin) request.addHeader('authorization', authorization);
});

subscribe('http.client.request.created', (message) => {
  const { request } = message as { readonly request: ClientRequest };
  if (`${request.protocol}//${String(request.getHeader('host'))}` !== origin) return;
  request.setHeader('authorization', authorization);
});
