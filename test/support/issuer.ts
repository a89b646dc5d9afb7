/**
 * A small authorization server under the test's control: metadata (RFC 8414 and OpenID Connect discovery),
 * a key set, and tokens with any header and claims. It can be slow, broken, redirecting or silent, path by
 * path, and counts what it was asked.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { closeServer, host, listenOnLoopback } from './loopback.ts';
import { answerAs, type Behaviour } from './scripted-answer.ts';
import {
  mintKey,
  signCompact,
  type SharedSecret,
  type SigningAlgorithm,
  type SigningKey,
} from './signing-key.ts';

export interface IssuerOptions {
  /** Path of the issuer, such as `/realms/corp`; default none. */
  readonly path?: string;
  /** Seconds since the epoch for `iat` and `exp`; for gateways with a clock of their own. */
  readonly now?: () => number;
  /** `aud` of tokens that name none. */
  readonly audience?: string | readonly string[];
  /** Of the keys that are published at first; default RS256, ES256 and EdDSA. */
  readonly algorithms?: readonly SigningAlgorithm[];
  /** For an issuer that is to stop and come back at the same address; default a free one. */
  readonly port?: number;
  /** Makes it an https issuer. */
  readonly tls?: ServerOptions;
}

export interface TokenParts {
  /** Over the defaults; `undefined` removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Over the defaults; `undefined` removes a member. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Default: the first published key. A name takes the published key of that algorithm. */
  readonly key?: SigningKey | SharedSecret | SigningAlgorithm | 'none';
}

export interface IssuerRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export async function startIssuer(options: IssuerOptions = {}): Promise<Issuer> {
  const server: Server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
  return new Issuer(server, await listenOnLoopback(server, options.port), options);
}

export class Issuer implements AsyncDisposable {
  readonly origin: string;
  /** The `iss` of its tokens. */
  readonly url: string;
  readonly jwksUri: string;
  /** Paths of its documents, for `hits` and `behave`. */
  readonly paths: Readonly<Record<'oauth' | 'openid' | 'openidAppended' | 'jwks', string>>;
  readonly requests: IssuerRequest[] = [];
  readonly #server: Server;
  readonly #port: number;
  readonly #options: IssuerOptions;
  readonly #behaviours = new Map<string, Behaviour>();
  #keys: readonly SigningKey[];
  #described: Readonly<Record<string, unknown>> = {};

  constructor(server: Server, port: number, options: IssuerOptions) {
    const { path = '', algorithms = ['RS256', 'ES256', 'EdDSA'] } = options;
    this.#server = server;
    this.#port = port;
    this.#options = options;
    this.#keys = algorithms.map((alg) => mintKey(alg));
    this.origin = `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`;
    this.url = `${this.origin}${path}`;
    this.paths = {
      oauth: `/.well-known/oauth-authorization-server${path}`,
      openid: `/.well-known/openid-configuration${path}`,
      openidAppended: `${path}/.well-known/openid-configuration`,
      jwks: `${path}/jwks`,
    };
    this.jwksUri = `${this.origin}${this.paths.jwks}`;
    server.on('request', (request, response) => {
      const asked = (request.url ?? '').split('?')[0] ?? '';
      this.requests.push({ method: request.method ?? '', path: asked, headers: request.headers });
      const document = this.#documentAt(asked);
      void answerAs(this.#behaviours.get(asked) ?? 'normal', { request, response, document });
    });
  }

  /** The published keys, in order. */
  get keys(): readonly SigningKey[] {
    return this.#keys;
  }

  /** The published key of an algorithm. */
  key(alg: SigningAlgorithm): SigningKey {
    const found = this.#keys.find((candidate) => candidate.alg === alg);
    if (found === undefined) throw new Error(`no published ${alg} key`);
    return found;
  }

  /** Replaces the published key set. */
  publish(keys: readonly SigningKey[]): void {
    this.#keys = [...keys];
  }

  /** Replaces the published key of an algorithm; `kid` may be the old one again. Answers the new key. */
  rotate(alg: SigningAlgorithm = 'RS256', kid: string = randomUUID()): SigningKey {
    const fresh = mintKey(alg, kid);
    this.#keys = this.#keys.map((old) => (old.alg === alg ? fresh : old));
    return fresh;
  }

  /** Members over the metadata documents; `undefined` removes one. */
  describe(members: Readonly<Record<string, unknown>>): void {
    this.#described = members;
  }

  behave(path: string, behaviour: Behaviour): void {
    this.#behaviours.set(path, behaviour);
  }

  /** Requests to a path so far; without a path, all. */
  hits(path?: string): number {
    return this.requests.filter((request) => path === undefined || request.path === path).length;
  }

  /** A valid RFC 9068 access token but for what `parts` changes. */
  token(parts: TokenParts = {}): string {
    const key = this.#signingKey(parts.key);
    const now = (this.#options.now ?? (() => Math.floor(Date.now() / 1_000)))();
    const header = { typ: 'at+jwt', ...(key === 'none' ? { alg: 'none' } : { alg: key.alg, kid: key.kid }) };
    const payload = {
      iss: this.url,
      sub: 'alice',
      aud: this.#options.audience,
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
      client_id: 'test-client',
      scope: 'mcp:use',
    };
    return signCompact(
      { header: { ...header, ...parts.header }, payload: { ...payload, ...parts.claims } },
      key,
    );
  }

  /** Refuses connections from now on, and drops the open ones. */
  stop(): Promise<void> {
    return closeServer(this.#server);
  }

  /** After `stop`: answers again, at the same address. */
  async restart(): Promise<void> {
    await listenOnLoopback(this.#server, this.#port);
  }

  close(): Promise<void> {
    return closeServer(this.#server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #signingKey(asked: TokenParts['key']): SigningKey | SharedSecret | 'none' {
    if (asked === 'none' || typeof asked === 'object') return asked;
    if (asked !== undefined) return this.key(asked);
    const [first] = this.#keys;
    if (first === undefined) throw new Error('no key is published: say which key signs');
    return first;
  }

  #documentAt(path: string): unknown {
    const { oauth, openid, openidAppended, jwks } = this.paths;
    if (path === jwks) return { keys: this.#keys.map((key) => key.publicJwk) };
    if (![oauth, openid, openidAppended].includes(path)) return undefined;
    return {
      issuer: this.url,
      jwks_uri: this.jwksUri,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      ...this.#described,
    };
  }
}
