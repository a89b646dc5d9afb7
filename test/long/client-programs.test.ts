/** Programs that people run before the gateway, run for real: mcp-remote with a login, the Inspector with a token. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { startBridge, type Bridge } from '../support/bridge.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { eventually } from '../support/loopback.ts';
import { startModernServer, type ModernServer } from '../support/modern-server.ts';
import { headerOf } from '../support/request-report.ts';

const find = createRequire(import.meta.url).resolve;
const withinMs = 60_000;

let server: AuthorizationServer;
let bridge: Bridge;
let modern: ModernServer;
let gateway: RunningGateway;
let home: string;

beforeAll(async () => {
  [server, bridge, modern] = await Promise.all([
    startAuthorizationServer(),
    startBridge(),
    startModernServer(),
  ]);
  gateway = await startGateway(`
authorizationServers: [{ name: corp, issuer: '${server.issuer}' }]
routes:
  - { name: everything, path: /mcp, scopes: [mcp:use], upstream: '${bridge.url}' }
  - { name: modern, path: /modern, scopes: [mcp:use], upstream: '${modern.url}' }
`);
});

afterAll(async () => {
  await Promise.all([gateway, bridge, modern, server].map((part) => part?.close()));
});

/** What the programs keep on disk goes here, and nowhere else. */
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'portcullis-client-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

const environment = (): Record<string, string> => ({ PATH: process.env['PATH'] ?? '', HOME: home });

/** Its opener takes a browser from the environment on Linux alone; elsewhere it would open a window. */
const noStubBrowser =
  process.platform === 'linux' ? '' : ' (left out, the browser can only be stubbed on Linux)';

describe.skipIf(noStubBrowser !== '')(`mcp-remote${noStubBrowser}`, () => {
  interface Proxy extends AsyncDisposable {
    readonly client: Client;
    /** What it wrote to stderr so far. */
    readonly told: string;
    readonly connected: Promise<void>;
  }

  function startProxy(): Proxy {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [find('mcp-remote/dist/proxy.js'), `${gateway.url}/mcp`],
      // The browser is `true`: the test is the person before it, and reads on stderr where to go.
      env: { ...environment(), MCP_REMOTE_CONFIG_DIR: home, BROWSER: 'true' },
      stderr: 'pipe',
    });
    let told = '';
    transport.stderr?.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const client = new Client({ name: 'stdio-client', version: '1.0.0' });
    const connected = client.connect(transport, { timeout: withinMs / 2 }).catch((cause: unknown) => {
      throw new Error(`mcp-remote didn't connect:\n${told}`, { cause });
    });
    // Whoever waits for it hears of a failure; until then it is nobody's.
    connected.catch(() => undefined);
    return {
      client,
      get told() {
        return told;
      },
      connected,
      [Symbol.asyncDispose]: () => client.close(),
    };
  }

  const loginPage = ({ told }: Proxy): string | undefined => /https?:\/\/\S+\/auth\?\S+/.exec(told)?.[0];

  it(
    'logs its person in once, and a stdio client lists and calls through it (A02, A16, A26)',
    { timeout: withinMs },
    async () => {
      await using first = startProxy();
      await eventually(
        'mcp-remote says where to log in',
        async () => {
          // It has ended: this throws what it said.
          if (first.client.transport === undefined) await first.connected;
          return loginPage(first) !== undefined;
        },
        withinMs / 2,
      );
      const back = await server.signIn(new URL(loginPage(first) ?? ''), 'alice');
      expect((await fetch(back)).status).toBe(200);
      await first.connected;
      const { tools } = await first.client.listTools();
      expect(tools.map(({ name }) => name)).toContain('echo');
      const { content } = await first.client.callTool({ name: 'echo', arguments: { message: 'hello' } });
      expect(content).toEqual([{ type: 'text', text: 'Echo: hello' }]);

      const call = bridge.requests.findLast(({ method }) => method === 'POST');
      if (call === undefined) throw new Error('no call reached the bridge');
      expect(headerOf(call, 'x-auth-subject')).toEqual(['alice']);
      expect(headerOf(call, 'authorization')).toEqual([]);
      for (const { status } of gateway.audit) expect(status).toBeLessThanOrEqual(401);

      await using second = startProxy();
      await second.connected;
      expect((await second.client.listTools()).tools).toHaveLength(tools.length);
      expect(loginPage(second)).toBeUndefined();
    },
  );
});

describe("the Inspector's --cli", { timeout: withinMs }, () => {
  const program = find('@modelcontextprotocol/inspector/package.json').replace(
    'package.json',
    'clients/cli/build/index.js',
  );

  interface Run {
    readonly code: number | null;
    readonly out: string;
    readonly told: string;
  }

  async function inspect(path: string, ...args: readonly string[]): Promise<Run> {
    const url = ['--transport', 'http', '--server-url', `${gateway.url}${path}`];
    const child = spawn(process.execPath, [program, ...url, '--format', 'json', ...args], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: withinMs / 2,
      killSignal: 'SIGKILL',
    });
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [out, told, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
    return { code, out, told };
  }

  const tokenFor = (path: string): Promise<string> =>
    server.tokenByLogin({ account: 'bob', resource: `${gateway.url}${path}` });
  const echo = ['--method', 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=hello'] as const;

  it('lists and calls with a token in a header (A02, A26)', async () => {
    const header = ['--header', `Authorization: Bearer ${await tokenFor('/mcp')}`] as const;
    const listed = await inspect('/mcp', ...header, '--method', 'tools/list');
    expect(listed).toMatchObject({ code: 0, told: '' });
    const { result } = JSON.parse(listed.out) as { result: { tools: readonly { name: string }[] } };
    expect(result.tools.map(({ name }) => name)).toContain('echo');
    const called = await inspect('/mcp', ...header, ...echo);
    expect(called).toMatchObject({ code: 0, told: '' });
    expect(JSON.parse(called.out)).toEqual({ result: { content: [{ type: 'text', text: 'Echo: hello' }] } });
  });

  it('calls in the era of 2026-07-28 (A26)', async () => {
    const header = ['--header', `Authorization: Bearer ${await tokenFor('/modern')}`] as const;
    const call = ['--method', 'tools/call', '--tool-name', 'report', '--tool-arg', 'text=hello'] as const;
    const called = await inspect('/modern', ...header, '--protocol-era', 'modern', ...call);
    expect(called).toMatchObject({ code: 0, told: '' });
    const { result } = JSON.parse(called.out) as { result: { content: readonly { text: string }[] } };
    expect(JSON.parse(result.content[0]?.text ?? '')).toMatchObject({
      era: 'modern',
      text: 'hello',
      headers: { 'mcp-name': 'report', 'x-auth-subject': 'bob' },
    });
  });

  it('understands without a token that it needs a login (A02)', async () => {
    const refused = await inspect('/mcp', '--stored-auth-only', ...echo);
    expect(refused).toMatchObject({ code: 3, out: '' });
    expect(JSON.parse(refused.told)).toMatchObject({ error: { code: 'auth_required' } });
  });
});
