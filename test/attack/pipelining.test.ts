/** Requests sent behind one another without waiting, in orders that no client has (attack catalogue B-010). */
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { host } from '../support/loopback.ts';
import { startWorld } from '../integration/world.ts';

const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const json = `Content-Type: application/json\r\nContent-Length: ${ping.length}\r\n`;

/** Each is answered in another way: late or at once, by us or by Node, as the last of its connection or not. */
const kinds: readonly string[] = [
  'HEAD /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  `POST /mcp HTTP/1.1\r\nContent-Length: ${ping.length}\r\n\r\n${ping}`,
  'POST /mcp HTTP/1.1\r\nHost: localhost\r\nExpect:\r\n\r\n',
  `POST /mcp HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n${json}\r\n${ping}`,
  'GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n',
  `POST /mcp HTTP/1.1\r\nHost: localhost\r\n${json}\r\n${ping}`,
  'DELETE /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  '\0garbage\r\n\r\n',
];

const sequences = kinds.flatMap((first) =>
  kinds.flatMap((second) => kinds.map((third) => [first, second, third] as const)),
);

type Manner = 'in one packet' | 'one by one' | 'and hangs up';

/** Ends when the gateway does, or when it has had its time. */
async function send(port: number, requests: readonly string[], manner: Manner): Promise<void> {
  const socket = connect({ port, host });
  const over = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    setTimeout(resolve, 40);
  });
  socket.on('error', () => {}).resume();
  if (manner === 'and hangs up') socket.end(requests.join(''), 'latin1');
  else if (manner === 'in one packet') socket.write(requests.join(''), 'latin1');
  else
    for (const request of requests) {
      socket.write(request, 'latin1');
      await nextTurn();
    }
  await over;
  socket.destroy();
}

it.each<Manner>(['in one packet', 'one by one', 'and hangs up'])(
  'B-010: whoever sends three requests of whatever kinds, %s, ends no process',
  async (manner) => {
    await using world = await startWorld({ route: 'access: open' });
    const waiting = [...sequences];
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
        await send(world.gateway.port, next, manner);
    };
    // What nobody catches, in this process too, makes the run of the tests red.
    await Promise.all(Array.from({ length: 32 }, work));
    expect((await world.ask()).status).toBe(200);
    expect(world.gateway.written).not.toContain('"defect');
  },
);
