/** The parsers of Python's and Go's standard libraries, each in a process of its own, where the machine has them. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { BodyReader, Finding } from './found.ts';

const buildLimitMillis = 120_000;

/** Undefined where there is no python3. */
export function startPythonReader(): BodyReader | undefined {
  if (!runs('python3', ['-c', 'import json'])) return undefined;
  return childReader('Python json', 'python3', [script('read_bodies.py')]);
}

/** Undefined where there is no Go. Builds its program first, from the standard library alone. */
export async function startGoReader(): Promise<BodyReader | undefined> {
  const go = ['go', '/usr/local/go/bin/go'].find((command) => runs(command, ['version']));
  if (go === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-differential-'));
  const program = join(folder, 'read-bodies');
  const build = spawn(go, ['build', '-o', program, script('read_bodies.go')], {
    env: { ...process.env, GOPROXY: 'off', GOTOOLCHAIN: 'local', GOFLAGS: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: buildLimitMillis,
  });
  const [code] = (await once(build, 'close')) as [number | null];
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  if (code !== 0) {
    remove();
    throw new Error('the reader in Go could not be built');
  }
  return childReader('Go encoding/json', program, [], remove);
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

function script(name: string): string {
  return fileURLToPath(new URL(`read-bodies/${name}`, import.meta.url));
}

/** Asks the child to write out what is done; no body is empty. */
const flush = Buffer.alloc(4);

function childReader(
  name: string,
  command: string,
  args: readonly string[],
  afterwards: () => void = () => {},
): BodyReader {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  // A child that ends early is told by the lines that are missing.
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name,
    async read(bodies) {
      child.stdin.write(Buffer.concat([...bodies.flatMap((body) => [lengthOf(body), body]), flush]));
      const findings: Finding[] = [];
      while (findings.length < bodies.length) {
        const line = await lines.next();
        if (line.done === true) throw new Error(`the reader in ${name} ended early`);
        findings.push(JSON.parse(line.value) as Finding);
      }
      return findings;
    },
    async close() {
      child.stdin.end();
      await closed;
      afterwards();
    },
  };
}

function lengthOf(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return length;
}
