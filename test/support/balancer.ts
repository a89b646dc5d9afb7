/** A real HAProxy on loopback: takes turns, and asks each server's ops listener whether it is ready. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, within } from './loopback.ts';

const program = 'haproxy';

/** Why there can't be one here; undefined where there can. */
export const balancerMissing: string | undefined =
  spawnSync(program, ['-v']).status === 0 ? undefined : 'left out, there is no haproxy on PATH';

/** Ends the titles of tests that need the balancer: says why they were left out. */
export const balancerNote = balancerMissing === undefined ? '' : ` (${balancerMissing})`;

export interface Balanced {
  readonly port: number;
  readonly opsPort: number;
}

/** Ends with the scope that it was started in. */
export async function startBalancer(port: number, servers: readonly Balanced[]): Promise<AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration(port, servers));
  const child = spawn(program, ['-db', '-q', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  await eventually(
    'the balancer listens',
    () => {
      if (child.exitCode !== null) throw new Error(`haproxy ended at its start\n${said}`);
      return isOpen(port);
    },
    10_000,
  );
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await within(exited, 5_000, 'haproxy ends');
      process.off('exit', killNow);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As the guide has it, but quicker to notice. */
function configuration(port: number, servers: readonly Balanced[]): string {
  const lines = servers.map(
    (server, index) => `  server r${index} 127.0.0.1:${server.port} check port ${server.opsPort}`,
  );
  return `global
  nbthread 1
  maxconn 2000
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout check 5s
  option redispatch 1
  retries 3
  retry-on conn-failure
frontend public
  bind 127.0.0.1:${port}
  default_backend replicas
backend replicas
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
  default-server inter 100ms fastinter 100ms downinter 100ms fall 2 rise 1
${lines.join('\n')}
`;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
