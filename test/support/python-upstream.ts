/** An upstream in Python that checks assertions with PyJWT, as docs/snippets/verify_assertion.py does. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './loopback.ts';

export interface PythonUpstream extends AsyncDisposable {
  readonly url: string;
}

/** Whether this machine's python3 has PyJWT with what it needs for ES256 and EdDSA. */
export function hasPyJwt(): boolean {
  return spawnSync('python3', ['-c', 'import jwt, cryptography; jwt.PyJWKClient']).status === 0;
}

export async function startPythonUpstream(gateway: string): Promise<PythonUpstream> {
  const program = fileURLToPath(new URL('verifying_upstream.py', import.meta.url));
  const snippets = fileURLToPath(new URL('../../docs/snippets', import.meta.url));
  const child = spawn('python3', [program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', GATEWAY: gateway, SNIPPETS: snippets },
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: port } = await within(lines.next(), 15_000, 'the Python upstream says its port');
  return {
    url: `http://127.0.0.1:${String(port)}/mcp`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
