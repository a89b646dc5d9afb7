import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { median } from '../median.ts';
import type { Callee } from './world.ts';

/** The medians of how long events are on their way, on streams that are open at the same time. */
export async function measureEventDelays(
  callees: readonly Callee[],
  seconds: number,
): Promise<readonly number[]> {
  const streams = callees.map(listen);
  await sleep(seconds * 1000);
  return streams.map((stream) => {
    const delays = stream.close();
    if (delays.length < seconds * 10) throw new Error(`only ${delays.length} events came`);
    return median(delays);
  });
}

/** Collects delays in milliseconds: each event tells when it was sent. */
function listen({ url, token }: Callee): { readonly close: () => readonly number[] } {
  const { hostname, port, pathname, host } = new URL(url);
  const delays: number[] = [];
  const socket = connect({ host: hostname, port: Number(port), family: 4, noDelay: true });
  socket.setEncoding('latin1').on('data', (text: string) => {
    const now = process.hrtime.bigint();
    for (const [, sentAt = ''] of text.matchAll(/data: (\d+)\n/g))
      delays.push(Number(now - BigInt(sentAt)) / 1e6);
  });
  socket.on('error', () => {});
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nAccept: text/event-stream\r\n\r\n`,
  );
  return {
    close() {
      socket.destroy();
      return delays;
    },
  };
}
