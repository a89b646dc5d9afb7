/** A gateway that is configured by environment variables alone, or in part, as a user starts it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check } from '../../src/commands/check.ts';
import { startChild, type Child } from '../support/child-process.ts';
import { startGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { ask, json, only } from './world.ts';
import { program } from '../support/program.ts';

const metadataUrl = '/.well-known/oauth-protected-resource/mcp';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-environment-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Variables = Readonly<Record<string, string>>;

interface Ports {
  readonly port: number;
  readonly opsPort: number;
}

const freePorts = async (): Promise<Ports> => ({
  port: await reserveFreePort(),
  opsPort: await reserveFreePort(),
});

/** All that a gateway needs, and where it listens. */
function variablesFor(issuer: Issuer, upstream: string, { port, opsPort }: Ports): Variables {
  return {
    MCP_RESOURCE_SERVER_CANONICAL_URL: `http://localhost:${port}/mcp`,
    MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS: JSON.stringify([{ name: 'corp', issuer: issuer.url }]),
    MCP_RESOURCE_SERVER_SCOPES_SUPPORTED: 'mcp:use mcp:write',
    MCP_RESOURCE_SERVER_DEFAULT_CHALLENGE_SCOPES: 'mcp:use',
    PORTCULLIS_UPSTREAM: upstream,
    HOST: '127.0.0.1',
    PORT: String(port),
    OPS_PORT: String(opsPort),
  };
}

interface Place {
  readonly cwd?: string;
  readonly args?: readonly string[];
}

/** The real command, ready to serve. */
function serve(
  env: Variables,
  { opsPort }: Ports,
  { cwd = emptyFolder(), args = [] }: Place = {},
): Promise<Child> {
  return startChild({
    name: 'portcullis',
    args: [program, ...args],
    env,
    cwd,
    readyUrl: `http://localhost:${opsPort}/readyz`,
  });
}

/** The real command where it is expected to end by itself. */
function run(env: Variables, args: readonly string[] = []) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: emptyFolder(),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    encoding: 'utf8',
    timeout: 15_000,
  });
  return { status, stdout, stderr };
}

/** `portcullis check`, in this process. */
function checked(
  env: Variables,
  { cwd = emptyFolder(), file }: { readonly cwd?: string; readonly file?: string } = {},
) {
  let [stdout, stderr] = ['', ''];
  const status = check(file, {
    out: (text) => (stdout += text),
    err: (text) => (stderr += text),
    environment: env,
    readFile: (path) => readFileSync(resolve(cwd, path), 'utf8'),
    readStandardInput: () => Promise.resolve(''),
  });
  return { status, stdout, stderr };
}

function emptyFolder(files: Readonly<Record<string, string>> = {}): string {
  const made = mkdtempSync(join(folder, 'a-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made, name), text);
  return made;
}

const dotEnv = (variables: Variables): string =>
  Object.entries(variables)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('');

describe('C3 the environment alone', () => {
  it('starts a protected route: challenge, metadata, a token’s call, and no call without one (C3)', async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    await using upstream = await startRecordingUpstream();
    const ports = await freePorts();
    await using gateway = await serve(variablesFor(issuer, upstream.url, ports), ports);
    const resource = `http://localhost:${ports.port}/mcp`;
    const refused = await ask(ports.port, { target: '/mcp' });
    expect([refused.status, only(refused, 'www-authenticate')]).toEqual([
      401,
      `Bearer scope="mcp:use", resource_metadata="http://localhost:${ports.port}${metadataUrl}"`,
    ]);
    expect(upstream.requests).toHaveLength(0);
    for (const target of [metadataUrl, '/.well-known/oauth-protected-resource']) {
      expect(json(await ask(ports.port, { method: 'GET', target }))).toEqual({
        resource,
        authorization_servers: [issuer.url],
        scopes_supported: ['mcp:use', 'mcp:write'],
        bearer_methods_supported: ['header'],
        resource_name: '/mcp',
      });
    }
    const foreign = issuer.token({ claims: { aud: 'https://other.example/mcp' } });
    expect((await ask(ports.port, { target: '/mcp', token: foreign })).status).toBe(401);
    const token = issuer.token({ claims: { aud: resource } });
    expect((await ask(ports.port, { target: '/mcp', token })).status).toBe(200);
    expect(upstream.requests).toHaveLength(1);
    expect(gateway.output.some((line) => line.includes('"route":"/mcp"') && line.includes('"corp"'))).toBe(
      true,
    );
  });

  it('comes from a .env in the working directory as well, which never overrides the real environment (C3)', async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    await using upstream = await startRecordingUpstream();
    const ports = await freePorts();
    const variables = variablesFor(issuer, upstream.url, ports);
    const cwd = emptyFolder({
      '.env': `# settings\n${dotEnv({
        ...variables,
        PORT: '1',
        MCP_RESOURCE_SERVER_SCOPES_SUPPORTED: 'from:file',
        MCP_RESOURCE_SERVER_DEFAULT_CHALLENGE_SCOPES: 'from:file',
      })}`,
    });
    const real = {
      PORT: String(ports.port),
      MCP_RESOURCE_SERVER_SCOPES_SUPPORTED: 'real',
      // Set, though to nothing.
      MCP_RESOURCE_SERVER_DEFAULT_CHALLENGE_SCOPES: '',
    };
    await using gateway = await serve(real, ports, { cwd });
    expect(gateway.running).toBe(true);
    expect(json(await ask(ports.port, { method: 'GET', target: metadataUrl }))).toMatchObject({
      scopes_supported: ['real'],
      authorization_servers: [issuer.url],
    });
    expect(only(await ask(ports.port, { target: '/mcp' }), 'www-authenticate')).not.toContain('scope=');
  });

  it('fails with 78 for JSON without issuer, naming variable and field, and opens no port (C3)', async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    const ports = await freePorts();
    const servers = '[{"name":"corp","audiences":["x"]}]';
    const env = {
      ...variablesFor(issuer, 'http://localhost:1/mcp', ports),
      MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS: servers,
    };
    for (const { status, stdout, stderr } of [run(env), checked(env)]) {
      expect([status, stdout]).toEqual([78, '']);
      expect(stderr).toMatch(
        /^MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS {2}authorizationServers\[0\]\.issuer: found nothing, expected the issuer/,
      );
      expect(stderr.match(/found/g)).toHaveLength(1);
    }
    await expect(ask(ports.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('has all its faults told at once, each with its variable (C1, C3)', () => {
    const { status, stdout, stderr } = checked({
      MCP_RESOURCE_SERVER_CANONICAL_URL: 'http://mcp.example.com/mcp',
      MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS: '{"issuer":',
      MCP_RESOURCE_SERVER_SCOPES_SUPPORTED: 'ok é',
      MCP_RESOURCE_SERVER_DEFAULT_CHALLENGE_SCOPES: 'a"b',
      PORT: 'http',
    });
    expect([status, stdout]).toEqual([78, '']);
    const lines = stderr.split('\n').filter((line) => /^\S/.test(line));
    expect(new Set(lines.map((line) => line.split('  ')[0]))).toEqual(
      new Set([
        'MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS',
        'MCP_RESOURCE_SERVER_CANONICAL_URL',
        'MCP_RESOURCE_SERVER_DEFAULT_CHALLENGE_SCOPES',
        'MCP_RESOURCE_SERVER_SCOPES_SUPPORTED',
        'PORT',
        'PORTCULLIS_UPSTREAM',
      ]),
    );
    expect(lines).toHaveLength(6);
    expect(stderr).toContain('found "http://mcp.example.com/mcp", expected an https URL');
    expect(stderr).toContain("found text that isn't JSON");
    expect(stderr).toContain('routes[0].scopesSupported[1]: found "é"');
    expect(stderr).toContain('PORTCULLIS_UPSTREAM  found nothing');
  });

  it('can be checked without a start, and is no configuration where nothing is said of a route (C3)', async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    const fine = checked(variablesFor(issuer, 'http://localhost:1/mcp', await freePorts()));
    expect([fine.status, fine.stderr]).toEqual([0, '']);
    expect(fine.stdout).toMatch(
      /^environment: ok\n {2}route http:\/\/localhost:\d+\/mcp: tokens of corp -> /,
    );
    const nothing =
      'there is no configuration: give --config FILE, PORTCULLIS_CONFIG, or the variables of a route, MCP_RESOURCE_SERVER_CANONICAL_URL and others\n';
    expect(checked({ PORT: '8080' })).toEqual({ status: 64, stdout: '', stderr: nothing });
    const served = run({ PORTCULLIS_UPSTREAM: ' ', PORTCULLIS_CONFIG: '' });
    expect(served).toEqual({ status: 64, stdout: '', stderr: nothing });
  });
});

describe('C3 a file and the environment', () => {
  const conflicting = {
    MCP_RESOURCE_SERVER_CANONICAL_URL: 'https://env.example/mcp',
    MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS: '[{"issuer":"https://env.example"}]',
    MCP_RESOURCE_SERVER_SCOPES_SUPPORTED: 'env',
    MCP_RESOURCE_SERVER_DEFAULT_CHALLENGE_SCOPES: 'env',
    PORTCULLIS_UPSTREAM: 'http://env.example/mcp',
  };

  it('agree so that YAML overrides, key by key (C3)', async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    await using upstream = await startRecordingUpstream();
    await using gateway = await startGateway(
      `
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ path: /mcp, upstream: '${upstream.url}', scopesSupported: [yaml] }]
`,
      { environment: conflicting },
    );
    expect(json(await ask(gateway.port, { method: 'GET', target: metadataUrl }))).toMatchObject({
      resource: `${gateway.url}/mcp`,
      authorization_servers: [issuer.url],
      scopes_supported: ['yaml'],
    });
    // The file says nothing of it.
    expect(only(await ask(gateway.port, { target: '/mcp' }), 'www-authenticate')).toContain('scope="env"');
    const token = issuer.token({ claims: { aud: `${gateway.url}/mcp` } });
    expect((await ask(gateway.port, { target: '/mcp', token })).status).toBe(200);
    expect(upstream.requests).toHaveLength(1);
  });

  it('are read together by the command, with a .env beside the file and not the one of the working directory (C3)', async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    await using upstream = await startRecordingUpstream();
    const ports = await freePorts();
    const variables = variablesFor(issuer, upstream.url, ports);
    const { MCP_RESOURCE_SERVER_CANONICAL_URL: canonical = '', ...rest } = variables;
    const place = emptyFolder({
      'config.yaml': 'routes: [{ name: tools, path: /mcp, scopesSupported: [yaml] }]\n',
      '.env': dotEnv({ ...rest, MCP_RESOURCE_SERVER_CANONICAL_URL: 'https://dotenv.example/elsewhere' }),
    });
    const cwd = emptyFolder({ '.env': 'PORTCULLIS_UPSTREAM=http://wrong.example/mcp\nPORT=1\n' });
    const real = { MCP_RESOURCE_SERVER_CANONICAL_URL: canonical };
    await using gateway = await serve(real, ports, { cwd, args: ['--config', join(place, 'config.yaml')] });
    expect(gateway.running).toBe(true);
    expect(json(await ask(ports.port, { method: 'GET', target: metadataUrl }))).toMatchObject({
      resource: canonical,
      resource_name: 'tools',
      scopes_supported: ['yaml'],
    });
    const token = issuer.token({ claims: { aud: canonical } });
    expect((await ask(ports.port, { target: '/mcp', token })).status).toBe(200);
  });

  it('have faults told by line or by variable, whichever is at fault (C3)', () => {
    const cwd = emptyFolder({
      'config.yaml': 'publicUrl: https://mcp.example.com\nroutes: [{ path: mcp }]\n',
      '.env': 'PORTCULLIS_UPSTREAM=gopher://x\n',
    });
    const { status, stderr } = checked(
      { MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS: '[{}]' },
      { cwd, file: 'config.yaml' },
    );
    expect(status).toBe(78);
    expect(stderr).toContain('config.yaml:2:18  routes[0].path: found "mcp"');
    expect(stderr).toMatch(/^PORTCULLIS_UPSTREAM {2}routes\[0\]\.upstream/m);
    expect(stderr).toMatch(
      /^MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS {2}authorizationServers\[0\]\.issuer/m,
    );
  });

  it('give secrets by name from the .env, too, and a .env that cannot be read is told (C2, C3)', () => {
    const yaml = `publicUrl: https://mcp.example.com
sessions: { key: { env: GATEWAY_TEST_KEY } }
routes: [{ path: /mcp, access: open, upstream: 'http://localhost:1/mcp' }]
`;
    const checkIn = (cwd: string) => checked({}, { cwd, file: 'config.yaml' });
    const missing = checkIn(emptyFolder({ 'config.yaml': yaml }));
    expect(missing.stderr).toContain('sessions.key.env: found the variable GATEWAY_TEST_KEY');
    const given = checkIn(
      emptyFolder({ 'config.yaml': yaml, '.env': `GATEWAY_TEST_KEY=${'k'.repeat(40)}\n` }),
    );
    expect(given.stderr).not.toContain('GATEWAY_TEST_KEY');
    expect(given.stderr + given.stdout).not.toContain('kkkk');
    const cwd = emptyFolder({ 'config.yaml': yaml });
    mkdirSync(join(cwd, '.env'));
    const unreadable = checkIn(cwd);
    expect([unreadable.status, unreadable.stderr]).toEqual([64, expect.stringContaining('.env: ')]);
  });
});
