import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { closeServer, host, listenOnLoopback } from '../support/loopback.ts';

/** As the suite does: with undici, which lets it choose the `Host`, with `fetch`, and with `node:http`. */
const asking = `
import { request as ask } from 'node:http';
import { request } from 'undici';
for (const url of process.argv.slice(1)) {
  await (await request(url, { headers: { Host: 'evil.example.com' } })).body.dump();
  await (await fetch(url)).body?.cancel();
  await new Promise((resolve) => ask(url, (answer) => answer.resume().on('end', resolve)).end());
}`;

it('the suite sends the token to the gateway, also under a foreign Host, and to nobody else (M2)', async () => {
  await using gateway = await startListener();
  await using other = await startListener();
  const addToken = fileURLToPath(new URL('./add-token.ts', import.meta.url));
  const args = ['--import', addToken, '--input-type=module', '--eval', asking, '--', gateway.url, other.url];
  const env = { ...process.env, CONFORMANCE_ORIGIN: gateway.url, CONFORMANCE_TOKEN: 'minted' };
  await promisify(execFile)(process.execPath, args, { env, timeout: 15_000 });

  expect(gateway.seen).toEqual([
    ['evil.example.com', 'Bearer minted'],
    [new URL(gateway.url).host, 'Bearer minted'],
    [new URL(gateway.url).host, 'Bearer minted'],
  ]);
  expect(other.seen.map(([, authorization]) => authorization)).toEqual([undefined, undefined, undefined]);
});

interface Listener extends AsyncDisposable {
  readonly url: string;
  /** `Host` and `Authorization` of each request. */
  readonly seen: readonly (readonly [string | undefined, string | undefined])[];
}

async function startListener(): Promise<Listener> {
  const seen: (readonly [string | undefined, string | undefined])[] = [];
  const server = createServer(({ headers }: IncomingMessage, response) => {
    seen.push([headers.host, headers.authorization]);
    response.end();
  });
  const port = await listenOnLoopback(server);
  return { url: `http://${host}:${port}`, seen, [Symbol.asyncDispose]: () => closeServer(server) };
}
