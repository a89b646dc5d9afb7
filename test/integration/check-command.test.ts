import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { referencePage } from '../../tools/generate-configuration-reference.ts';
import { program } from '../support/program.ts';

const root = new URL('../../', import.meta.url);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-check-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command line as a user does. */
function portcullis(...args: readonly string[]) {
  const { PORT: _port, OPS_PORT: _opsPort, HOST: _host, OPS_HOST: _opsHost, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    env: { ...env, NODE_NO_WARNINGS: '1' },
    encoding: 'utf8',
    timeout: 15_000,
  });
  return { status, stdout, stderr };
}

function writeConfiguration(name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** Holds a port, so that whoever else opens it fails. */
async function holdPort(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

const fiveMistakes = (publicPort: number, opsPort: number): readonly string[] => [
  'publicUrl: https://mcp.example.com',
  `listen: { host: 127.0.0.1, port: ${publicPort} }`,
  `ops: { host: 127.0.0.1, port: ${opsPort} }`,
  'authorizationServers:',
  '  - name: corp',
  '    issuer: https://login.example.com/realms/corp',
  '    algorithms: [HS256]',
  '    leeway: 5 secs',
  'routes:',
  '  - path: /mcp',
  '    authorizationServers: [crop]',
  '    scope: [read]',
  '    upstream: htp://localhost:8000/mcp',
];

const fiveFaults = [
  [7, 'authorizationServers[0].algorithms[0]: found "HS256"'],
  [8, 'authorizationServers[0].leeway: found "5 secs", expected a duration'],
  [11, 'routes[0].authorizationServers[0]: found "crop", expected one of corp'],
  [12, 'routes[0].scope: found an unknown key'],
  [13, 'routes[0].upstream: found "htp://localhost:8000/mcp", expected a URL'],
] as const;

/** The lines about faults; hints are indented. */
function faultLines(stderr: string): readonly string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
}

describe('a file with five different mistakes (C1)', () => {
  it.each([['check'], ['serve', '--config']])(
    'gets five faults with their lines and exit code 78 from portcullis %s, which opens no port',
    async (...command) => {
      // A gateway that tried to listen would fail with the port's name and another exit code.
      const [open, ops] = [await holdPort(), await holdPort()];
      try {
        const file = writeConfiguration('five.yaml', fiveMistakes(open.port, ops.port));
        const { status, stdout, stderr } = portcullis(...command, file);
        expect(status).toBe(78);
        expect(stdout).toBe('');
        const told = faultLines(stderr);
        expect(told).toHaveLength(fiveFaults.length);
        for (const [index, [line, words]] of fiveFaults.entries()) {
          expect(told[index]).toContain(`five.yaml:${line}:`);
          expect(told[index]).toContain(words);
        }
      } finally {
        open.server.close();
        ops.server.close();
      }
    },
  );
});

describe('portcullis check', () => {
  it('finds no fault in the example, and tells who may use which route', () => {
    const { status, stdout, stderr } = portcullis('check', 'config.example.yaml');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('config.example.yaml: ok\n');
    expect(stdout).toContain(
      'route https://mcp.example.com/mcp: tokens of corp, entra, tenants -> http://localhost:8000\n',
    );
    expect(stdout).toContain('warning: routes[8].access: route /status/mcp is open');
  });

  it('takes the file after --config as well, and no second one', () => {
    const { status, stdout } = portcullis('check', '--config', 'docs/snippets/smallest.yaml');
    expect(status).toBe(0);
    expect(stdout).toContain('docs/snippets/smallest.yaml: ok\n');
    const twice = portcullis('check', 'docs/snippets/smallest.yaml', 'other.yaml');
    expect(twice).toMatchObject({ status: 64, stdout: '' });
    expect(twice.stderr).toContain('check takes one file');
  });

  it('exits with 64 when the file cannot be read', () => {
    const { status, stderr } = portcullis('check', join(folder, 'gone.yaml'));
    expect(status).toBe(64);
    expect(stderr).toContain('gone.yaml');
  });

  it('names the key and the variable of a secret that is missing, and the key of one that stands in the file (C2)', () => {
    const file = writeConfiguration('secrets.yaml', [
      'publicUrl: https://mcp.example.com',
      'sessions: { key: { env: PORTCULLIS_TEST_MISSING } }',
      'state: { redis: { url: "redis://:sentinel@redis" } }',
      'routes: [{ path: /mcp, access: open, upstream: "http://localhost:8000/mcp" }]',
    ]);
    const { status, stderr } = portcullis('check', file);
    expect(status).toBe(78);
    expect(stderr).toContain(
      "secrets.yaml:2:25  sessions.key.env: found the variable PORTCULLIS_TEST_MISSING, which isn't set",
    );
    expect(stderr).toContain(
      'state.redis.url: found a literal string, expected { env: NAME } or { file: PATH }',
    );
    expect(stderr).not.toContain('sentinel');
  });
});

describe('a file with rules that can never decide anything', () => {
  it('is a good one, and portcullis check warns of each', () => {
    const file = writeConfiguration('idle.yaml', [
      'publicUrl: https://mcp.example.com',
      'authorizationServers: [{ issuer: https://login.example.com }]',
      'routes:',
      '  - { path: /mcp, upstream: "http://b", policy: [{ name: all }, { name: few, tools: [x] }] }',
    ]);
    const { status, stdout, stderr } = portcullis('check', file);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(
      '  warning: routes[0].policy[1]: rule few decides nothing: rule all before it admits all that it admits\n',
    );
  });
});

describe('a command that is none', () => {
  it.each([
    ['chek', 'there is no command "chek"; did you mean check?\nall commands: portcullis --help\n'],
    ['config.yaml', 'there is no command "config.yaml"; to run the gateway: --config config.yaml\n'],
  ])('is told with what was meant: %s', (word, told) => {
    const { status, stderr } = portcullis(word);
    expect(status).toBe(64);
    expect(stderr).toContain(told);
  });
});

describe('portcullis schema', () => {
  it('prints a JSON Schema', () => {
    const { status, stdout } = portcullis('schema');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      required: ['publicUrl', 'routes'],
    });
  });
});

describe('the reference page', () => {
  it('is the one that the schema gives', () => {
    expect(readFileSync(new URL('docs/reference/configuration.md', root), 'utf8')).toBe(referencePage());
  });
});
