// node bench/streams/crowd.ts URL TOKEN: many clients, each with one event stream. Told over IPC how many are to be open.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { endWithBench } from '../contestants/serve-until-stopped.ts';

const { hostname, port, pathname, host } = new URL(process.argv[2] ?? '');
const request = [
  `GET ${pathname} HTTP/1.1`,
  `Host: ${host}`,
  `Authorization: Bearer ${process.argv[3] ?? ''}`,
  'Accept: text/event-stream',
  '\r\n',
].join('\r\n');
/** More at once would overrun what the kernel lets wait for `accept`. */
const atOnce = 200;
const sockets: Socket[] = [];

async function open(): Promise<void> {
  const socket = connect({ host: hostname, port: Number(port), family: 4 });
  // A stream that broke isn't there to be counted.
  socket.on('error', () => {}).on('close', () => sockets.splice(sockets.indexOf(socket), 1));
  socket.write(request);
  const [head] = (await once(socket, 'data')) as [Buffer];
  if (!head.toString('latin1').startsWith('HTTP/1.1 200 ')) throw new Error(head.toString('latin1'));
  sockets.push(socket);
  socket.resume();
}

async function openUntil(count: number): Promise<void> {
  while (sockets.length < count) {
    await Promise.all(Array.from({ length: Math.min(atOnce, count - sockets.length) }, open));
  }
}

/** As killed clients do: with a reset, not with a word. */
async function leave(): Promise<void> {
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets.slice()) socket.resetAndDestroy();
  await Promise.all(closed);
}

process.on('message', (message) => {
  const count = Number(message);
  const changed = count === 0 ? leave() : openUntil(count);
  changed.then(
    () => process.send?.(sockets.length),
    (error: unknown) => process.send?.(String(error)),
  );
});
endWithBench();
