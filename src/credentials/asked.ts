import type { FastifyRequest } from 'fastify';

import type { CredentialsAsked } from '../vocabulary/credentials.ts';
import type { Admitted } from '../vocabulary/passage.ts';

/** What a provider is told of a request. The client's token is read where a provider wants it, and kept nowhere. */
export class AskedByRequest implements CredentialsAsked {
  readonly principal: CredentialsAsked['principal'];
  readonly route: CredentialsAsked['route'];
  readonly header = (name: string): string | undefined => linesOf(this.#request.raw.rawHeaders, name);
  readonly #request: FastifyRequest;

  constructor(request: FastifyRequest, { principal, route }: Admitted) {
    this.#request = request;
    this.principal = principal;
    this.route = route;
  }

  /** The token stage has seen to it that there is one line: a scheme, a space and a token. Without a principal it looked at none. */
  get clientToken(): string | undefined {
    const { authorization } = this.#request.headers;
    return this.principal === null ? undefined : authorization?.slice(authorization.indexOf(' ') + 1);
  }
}

/** Of all lines, as RFC 9110 §5.3 puts them together; of some names Node keeps the first alone. */
function linesOf(rawHeaders: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const found = rawHeaders[index] ?? '';
    if (found.length !== name.length || found.toLowerCase() !== name) continue;
    const line = rawHeaders[index + 1] ?? '';
    value = value === undefined ? line : `${value}, ${line}`;
  }
  return value;
}
