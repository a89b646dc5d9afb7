/** A gateway whose users log in themselves at an MCP server that wants OAuth, and the two authorization servers of that. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logout } from '../../src/commands/logout.ts';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { startGateway, type GatewayOptions, type RunningGateway } from '../support/gateway.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { LoginVisitor } from '../support/login-visitor.ts';
import { startProtectedServer, type ProtectedServer } from '../support/protected-server.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { ask, json, toolCall, type Ask } from './world.ts';

export interface UserLoginOptions extends Omit<GatewayOptions, 'port'> {
  /** Of the route, in flow style. */
  readonly route?: string;
  /** Of `credentials.oauth`, in flow style. */
  readonly oauth?: string;
  /** Of the client of `login`, in flow style. */
  readonly login?: string;
  readonly top?: string;
  /** The whole file in place of that; `$folder`, `$issuer`, `$upstream` and `$server` stand for the parts. */
  readonly yaml?: string;
  readonly path?: string;
  readonly without?: 'login';
}

export const loginPath = '/.well-known/portcullis/login';

export class UserLoginWorld implements AsyncDisposable {
  /** Milliseconds that the gateway's clock is ahead. */
  aheadMs = 0;
  gateway!: RunningGateway;
  /** Knows the users of the gateway. */
  corp!: AuthorizationServer;
  /** Of the upstream. */
  vendor!: AuthorizationServer;
  upstream!: ProtectedServer;
  folder!: string;
  yaml!: string;
  environment!: Readonly<Record<string, string>>;
  path = '/mcp';
  readonly #tokens = new Map<string, string>();

  /** An access token of the gateway's own side. */
  async tokenOf(account: string): Promise<string> {
    const known = this.#tokens.get(account);
    if (known !== undefined) return known;
    const token = await this.corp.tokenByLogin({ account, resource: `${this.gateway.url}${this.path}` });
    this.#tokens.set(account, token);
    return token;
  }

  async ask(account: string, request: Ask = {}): Promise<RawResponse> {
    return ask(this.gateway.port, {
      target: this.path,
      token: await this.tokenOf(account),
      body: toolCall(),
      ...request,
      headers: [['Accept', 'application/json, text/event-stream'], ...(request.headers ?? [])],
    });
  }

  /** Where this user is sent to log in. */
  async linkFor(account: string): Promise<string> {
    const answer = await this.ask(account);
    const { error } = json(answer) as { error: { code: number; data: { url: string } } };
    if (answer.status !== 502) throw new Error(`no login is needed: ${answer.status}`);
    return error.data.url;
  }

  /** `portcullis logout`; answers the exit code. */
  logOut(account: string): Promise<number> {
    const io = {
      out: () => {},
      err: () => {},
      environment: this.environment,
      readFile: () => `publicUrl: ${this.gateway.url}\n${this.yaml}`,
      readStandardInput: () => Promise.resolve(''),
    };
    const whose = { tenant: undefined, issuer: this.corp.issuer, subject: account };
    return logout({ name: 'tools', ...whose, configurationFile: 'test.yaml' }, io, { clock: Date.now });
  }

  visitor(): LoginVisitor {
    return new LoginVisitor(this.gateway.url);
  }

  /** Logins that are kept. */
  get kept(): readonly string[] {
    const names = readdirSync(this.folder, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => name.startsWith('tokens/tools-'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway?.close();
    await Promise.all([this.upstream?.close(), this.corp?.close(), this.vendor?.close()]);
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function startUserLoginWorld(options: UserLoginOptions = {}): Promise<UserLoginWorld> {
  const { route, oauth, login, top = '', yaml: whole, path = '/mcp', without, ...gatewayOptions } = options;
  const world = new UserLoginWorld();
  world.path = path;
  const port = await reserveFreePort();
  const secret = randomBytes(18).toString('hex');
  const identity = `http://localhost:${port}${loginPath}/identity/corp`;
  [world.corp, world.vendor] = await Promise.all([
    startAuthorizationServer({
      clients: [
        {
          client_id: 'gate-login',
          client_secret: secret,
          redirect_uris: [identity],
          grant_types: ['authorization_code'],
          response_types: ['code'],
        },
      ],
    }),
    startAuthorizationServer(),
  ]);
  world.upstream = await startProtectedServer({ issuer: world.vendor.issuer });
  world.folder = mkdtempSync(join(tmpdir(), 'portcullis-user-login-'));
  const also = (keys: string | undefined): string => (keys === undefined ? '' : `, ${keys}`);
  const clients = `login: [{ authorizationServer: corp, clientId: gate-login, clientSecret: { env: LOGIN_SECRET }${also(login)} }]`;
  const usual = `${top}
tokenStore: { directory: '$folder', key: { env: TOKEN_STORE_KEY } }
authorizationServers: [{ name: corp, issuer: '$issuer' }]
${without === 'login' ? '' : clients}
routes:
  - { name: tools, path: '${path}'${also(route)}, upstream: { url: '$upstream', credentials: { oauth: { scope: user, authorizationServers: ['$server']${also(oauth)} } } } }
`;
  const parts = {
    $folder: join(world.folder, 'tokens'),
    $issuer: world.corp.issuer,
    $upstream: world.upstream.url,
    $server: world.vendor.issuer,
    $port: String(port),
  };
  world.yaml = Object.entries(parts).reduce(
    (text, [name, value]) => text.replaceAll(name, value),
    whole ?? usual,
  );
  world.environment = { TOKEN_STORE_KEY: randomBytes(32).toString('base64'), LOGIN_SECRET: secret };
  world.gateway = await startGateway(world.yaml, {
    clock: () => Date.now() + world.aheadMs,
    ...gatewayOptions,
    port,
    environment: { ...world.environment, ...gatewayOptions.environment },
  });
  return world;
}
