/** An introspection endpoint (RFC 7662) at a scripted issuer: answers for tokens as the test says, and keeps what it was asked. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { Issuer } from './issuer.ts';
import { answerAs, type Behaviour } from './scripted-answer.ts';

export interface IntrospectionCall {
  readonly token: string;
  readonly authorization: string | undefined;
  readonly parameters: URLSearchParams;
}

export class IntrospectionEndpoint {
  readonly url: string;
  readonly calls: IntrospectionCall[] = [];
  /** Instead of answers for tokens, until the next one. */
  behaviour: Behaviour = 'normal';
  readonly #issuer: Issuer;
  readonly #answers = new Map<string, Readonly<Record<string, unknown>>>();

  /** It stands in the issuer's metadata from now on. */
  constructor(issuer: Issuer, path = '/introspect') {
    this.#issuer = issuer;
    this.url = `${issuer.origin}${path}`;
    issuer.describe({ introspection_endpoint: this.url });
    issuer.behave(path, (request, response) => this.#answer(request, response));
  }

  /** An opaque token that is active, with these claims over the usual ones; `undefined` removes one. */
  issue(audience: unknown, claims: Readonly<Record<string, unknown>> = {}): string {
    const token = `opaque.${randomBytes(24).toString('base64url')}`;
    this.activate(token, {
      iss: this.#issuer.url,
      sub: 'alice',
      aud: audience,
      client_id: 'test-client',
      scope: 'mcp:use',
      token_type: 'Bearer',
      ...claims,
    });
    return token;
  }

  /** What is answered for a token besides `active: true`. */
  activate(token: string, claims: Readonly<Record<string, unknown>> = {}): void {
    this.#answers.set(token, { active: true, ...claims });
  }

  revoke(token: string): void {
    this.#answers.delete(token);
  }

  /** How often a token was asked for. */
  callsFor(token: string): number {
    return this.calls.filter((call) => call.token === token).length;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const parameters = new URLSearchParams(Buffer.concat(chunks).toString());
    const token = parameters.get('token') ?? '';
    this.calls.push({ token, authorization: request.headers.authorization, parameters });
    const document = this.#answers.get(token) ?? { active: false };
    await answerAs(this.behaviour, { request, response, document });
  }
}
