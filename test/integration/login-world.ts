/** A gateway before an MCP server that wants OAuth, the authorization servers of both sides, and `portcullis login`. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { login } from '../../src/commands/login.ts';
import { logout } from '../../src/commands/logout.ts';
import type { CommandIo } from '../../src/commands/io.ts';
import { FileRecords } from '../../src/state/records/file-records.ts';
import type { RecordName } from '../../src/state/records/record-store.ts';
import { SealedRecords } from '../../src/state/records/sealed-records.ts';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { startGateway, type GatewayOptions, type RunningGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import { startProtectedServer, type ProtectedServer } from '../support/protected-server.ts';
import type { RawResponse } from '../support/raw-response.ts';
import { Secrets } from '../support/secrets.ts';
import { ask, toolCall, type Ask } from './world.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface LoginOptions {
  readonly name?: string;
  readonly account?: string;
  readonly tenant?: string;
  readonly person?: { readonly issuer: string; readonly subject: string };
  readonly yaml?: string;
  readonly limitMs?: number;
  readonly fetch?: GatewayOptions['fetch'];
  /** In the browser's place: from the address to log in at to where the browser goes in the end. */
  readonly browse?: (url: URL) => Promise<URL | undefined>;
}

export interface LoginWorldOptions extends Omit<GatewayOptions, 'port'> {
  /** Keys of `credentials.oauth` besides `scope: shared` and the authorization server. */
  readonly oauth?: string;
  readonly path?: string;
  readonly route?: string;
  /** Further routes, in flow style. */
  readonly routes?: string;
  /** In place of a folder. */
  readonly store?: string;
  /** The whole file, in place of all that; `$folder`, `$issuer`, `$upstream` and `$server` stand for the parts. */
  readonly yaml?: string;
  /** On the token store of this one. */
  readonly beside?: LoginWorld;
  readonly top?: string;
}

/** The upstream's side: shared by tests, because none of them changes it but by what it undoes. */
export interface UpstreamSide extends AsyncDisposable {
  readonly server: AuthorizationServer;
  readonly upstream: ProtectedServer;
  /** A client that is registered by hand. */
  readonly gate: { readonly id: 'gate'; readonly secret: string };
}

export async function startUpstreamSide(): Promise<UpstreamSide> {
  const gate = { id: 'gate', secret: randomBytes(18).toString('hex') } as const;
  const server = await startAuthorizationServer({
    clients: [
      {
        client_id: gate.id,
        client_secret: gate.secret,
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
  });
  const upstream = await startProtectedServer({ issuer: server.issuer });
  return {
    server,
    upstream,
    gate,
    async [Symbol.asyncDispose]() {
      await Promise.all([upstream.close(), server.close()]);
    },
  };
}

export class LoginWorld implements AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly issuer: Issuer;
  readonly folder: string;
  readonly yaml: string;
  readonly secrets = new Secrets();
  readonly environment: Readonly<Record<string, string>>;
  /** Its token store is another one's. */
  readonly isGuest: boolean;
  readonly #side: UpstreamSide;

  constructor(
    parts: Pick<LoginWorld, 'gateway' | 'issuer' | 'folder' | 'yaml' | 'environment' | 'isGuest'>,
    side: UpstreamSide,
  ) {
    this.gateway = parts.gateway;
    this.issuer = parts.issuer;
    this.folder = parts.folder;
    this.yaml = parts.yaml;
    this.environment = parts.environment;
    this.isGuest = parts.isGuest;
    this.#side = side;
  }

  /** A tool call with a good token of the gateway's own side. */
  ask({
    subject = 'alice',
    claims = {},
    ...request
  }: Ask & { readonly subject?: string; readonly claims?: object } = {}): Promise<RawResponse> {
    const target = request.target ?? '/mcp';
    const token = this.#tokenOf(subject, target, claims);
    return ask(this.gateway.port, {
      token,
      ...(request.method === undefined ? { body: toolCall() } : {}),
      ...request,
      headers: [['Accept', 'application/json, text/event-stream'], ...(request.headers ?? [])],
    });
  }

  /** The status of a call over a connection that many calls share. */
  async statusFor(subject: string): Promise<number> {
    const response = await fetch(`${this.gateway.url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#tokenOf(subject)}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: toolCall(),
    });
    await response.text();
    return response.status;
  }

  #tokenOf(subject: string, target = '/mcp', claims: object = {}): string {
    // Clocks of tests go ahead.
    const exp = Math.floor(Date.now() / 1000) + 10 * 86_400;
    return this.issuer.token({
      claims: { sub: subject, aud: `${this.gateway.url}${target}`, exp, ...claims },
    });
  }

  /** `portcullis login`, with a person who goes through it. */
  async logIn(options: LoginOptions = {}): Promise<Ran> {
    const { name = 'tools', account = 'robot', tenant, person, limitMs = 10_000 } = options;
    const io = this.#io(options.yaml ?? this.yaml);
    const wanted = { name, tenant, issuer: person?.issuer, subject: person?.subject };
    const running = login({ ...wanted, configurationFile: 'test.yaml' }, io, {
      clock: Date.now,
      limitMs,
      ...(options.fetch && { fetch: options.fetch }),
    });
    let isOver = false;
    void running.then(() => (isOver = true));
    await eventually('an address to log in at', () => isOver || addressIn(io.printed) !== undefined, 15_000);
    const address = addressIn(io.printed);
    if (address !== undefined) {
      const browse = options.browse ?? ((url: URL) => this.#side.server.signIn(url, account));
      const back = await browse(address);
      if (back !== undefined) await (await fetch(back)).text();
    }
    return { code: await running, out: io.printed, err: io.complained };
  }

  async logOut(name = 'tools'): Promise<Ran> {
    const io = this.#io(this.yaml);
    const none = { tenant: undefined, issuer: undefined, subject: undefined };
    const code = await logout({ name, ...none, configurationFile: 'test.yaml' }, io, { clock: Date.now });
    return { code, out: io.printed, err: io.complained };
  }

  /** Names and modes of what lies in the token store. */
  get stored(): readonly { readonly name: string; readonly mode: number }[] {
    return readdirSync(this.folder).map((name) => ({
      name,
      mode: statSync(join(this.folder, name)).mode & 0o777,
    }));
  }

  /** The file of the route's login. */
  get file(): string {
    const name = this.stored.find((entry) => /^tools-[0-9a-f]{64}$/.test(entry.name))?.name;
    if (name === undefined) throw new Error('nobody has logged in');
    return join(this.folder, name);
  }

  /** Calls of the upstream since the last look. */
  get token(): string {
    const last = this.#side.upstream.calls.findLast(({ authorization }) => authorization !== undefined);
    return last?.authorization?.slice('Bearer '.length) ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.close();
    await this.issuer.close();
    if (!this.isGuest) rmSync(dirname(this.folder), { recursive: true, force: true });
  }

  #io(yaml: string): CommandIo & { printed: string; complained: string } {
    const io = {
      printed: '',
      complained: '',
      out: (text: string) => void (io.printed += text),
      err: (text: string) => void (io.complained += text),
      environment: this.environment,
      readFile: (path: string) => {
        if (path.endsWith('test.yaml')) return `publicUrl: ${this.gateway.url}\n${yaml}`;
        throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      },
      readStandardInput: () => Promise.resolve(''),
    };
    return io;
  }
}

export async function startLoginWorld(
  side: UpstreamSide,
  {
    oauth,
    path = '/mcp',
    route,
    routes,
    store,
    beside,
    yaml: whole,
    top = '',
    ...options
  }: LoginWorldOptions = {},
): Promise<LoginWorld> {
  const folder = beside?.folder ?? join(mkdtempSync(join(tmpdir(), 'portcullis-tokens-')), 'tokens');
  const issuer = await startIssuer({ audience: 'anything', algorithms: ['ES256'] });
  const also = (keys: string | undefined): string => (keys === undefined ? '' : `, ${keys}`);
  const scope = oauth?.includes('scope:') === true ? '' : 'scope: shared, ';
  const credentials = `{ oauth: { ${scope}authorizationServers: ['${side.server.issuer}']${also(oauth)} } }`;
  const usual = `${top}
tokenStore: ${store ?? `{ directory: '${folder}', key: { env: TOKEN_KEY } }`}
authorizationServers: [{ name: corp, issuer: '${issuer.url}' }]
routes:
  - { name: tools, path: '${path}'${also(route)}, upstream: { url: '${side.upstream.url}', credentials: ${credentials} } }
${routes ?? ''}`;
  const parts = {
    $folder: folder,
    $issuer: issuer.url,
    $upstream: side.upstream.url,
    $server: side.server.issuer,
  };
  const yaml = Object.entries(parts).reduce(
    (text, [name, value]) => text.replaceAll(name, value),
    whole ?? usual,
  );
  const environment = {
    TOKEN_KEY: beside?.environment['TOKEN_KEY'] ?? randomBytes(32).toString('base64'),
    ...options.environment,
  };
  const gateway = await startGateway(yaml, { ...options, environment: environment });
  return new LoginWorld(
    {
      gateway,
      issuer,
      folder,
      yaml,
      environment: environment as Record<string, string>,
      isGuest: beside !== undefined,
    },
    side,
  );
}

/** The tokens of the route's login, read as the gateway reads them. */
export async function storedSecrets(world: LoginWorld): Promise<readonly string[]> {
  const files = new FileRecords(world.folder, Date.now);
  const records = new SealedRecords(files, [world.environment['TOKEN_KEY'] ?? '']);
  const reading = await records.read(basename(world.file) as RecordName);
  if (reading.is !== 'read') throw new Error(`the login is ${reading.is}`);
  const { accessToken, refreshToken } = JSON.parse(reading.text) as Record<string, string>;
  if (accessToken === undefined || refreshToken === undefined) throw new Error('tokens are missing');
  return [accessToken, refreshToken];
}

function addressIn(text: string): URL | undefined {
  const address = /^ {2}(http\S+)$/m.exec(text)?.[1];
  return address === undefined ? undefined : new URL(address);
}
