/**
 * A real authorization server (oidc-provider) on loopback: PKCE, dynamic registration, refresh tokens,
 * resource indicators with JWT access tokens (RFC 9068), and a login page for a person or for `signIn`.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { Provider } from 'oidc-provider';
import { serveLoginPage } from './login-page.ts';
import { closeServer, host, listenOnLoopback } from './loopback.ts';
import {
  providerConfiguration,
  scopesOf,
  type AuthorizationServerOptions,
} from './provider-configuration.ts';
import { signIn } from './sign-in.ts';
import { offerTokenExchange } from './token-exchange-grant.ts';
import { tokenByLogin, tokenForClient, type TokenRequest } from './token-requests.ts';

export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string;
  readonly origin: string;
  /** Every request so far: method and path with query. */
  readonly requests: readonly string[];
  /** Goes through login and consent as a browser would; answers the redirect back to the client, with its code. */
  signIn(authorizationUrl: URL, account: string): Promise<URL>;
  /** Registers a client, logs in as the account and answers the access token. */
  tokenByLogin(request: TokenRequest & { readonly account: string }): Promise<string>;
  /** An access token by client credentials; its subject is the client `machine`. */
  tokenForClient(request: TokenRequest): Promise<string>;
  close(): Promise<void>;
}

export async function startAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<AuthorizationServer> {
  const path = options.path ?? '';
  const requests: string[] = [];
  let serve: RequestListener = (_request, response) => void response.writeHead(503).end();
  // The issuer holds the port, so the server listens before the provider is made.
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    serve(request, response);
  });
  const origin = `http://${host}:${await listenOnLoopback(server, options.port)}`;
  const issuer = `${origin}${path}`;
  const machine = { id: 'machine', secret: randomUUID() };
  const provider = new Provider(issuer, providerConfiguration(options, machine));
  if (options.exchangesTokens === true) offerTokenExchange(provider, issuer);
  provider.use(async (context, next) => {
    if (context.path === '/auth' && context.query['scope'] === undefined) {
      context.query = { ...context.query, scope: options.defaultScope ?? scopesOf(options)[0] };
    }
    await next();
  });
  serve = mount(provider, path);

  const close = (): Promise<void> => closeServer(server);
  return {
    issuer,
    origin,
    requests,
    signIn,
    tokenByLogin: (request) => tokenByLogin(issuer, request),
    tokenForClient: (request) => tokenForClient(issuer, machine, request),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Serves the provider under the issuer's path; RFC 8414 §3.1 puts that path behind the well-known. */
function mount(provider: Provider, path: string): RequestListener {
  const answer = provider.callback();
  return (request, response) => {
    allowBrowsers(request, response);
    const inserted = /^(\/\.well-known\/[a-z-]+)(\/.*)$/.exec(request.url ?? '');
    const url = inserted?.[2] === path ? `${path}${inserted[1]}` : (request.url ?? '');
    if (request.method === 'OPTIONS') response.writeHead(204).end();
    else if (url.startsWith(`${path}/interaction/`))
      void serveLoginPage(provider, request, response).catch(() => broken(response));
    else if (url.startsWith(`${path}/`))
      void answer(Object.assign(request, { originalUrl: url, url: url.slice(path.length) }), response);
    else response.writeHead(404).end();
  };
}

function broken(response: ServerResponse): void {
  response
    .writeHead(400, { 'content-type': 'text/plain' })
    .end('This login has ended. Start again at the client.\n');
}

/** Browser clients read metadata, register and fetch tokens across origins. */
function allowBrowsers(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.origin === undefined) return;
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader(
    'access-control-allow-headers',
    request.headers['access-control-request-headers'] ?? '*',
  );
  response.setHeader('access-control-allow-methods', 'GET, POST');
}
