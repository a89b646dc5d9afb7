import { connect } from 'node:net';

/** Nothing here waits for a peer: what isn't answered by then never will be. */
const patienceMs = 20_000;

/**
 * All that comes back for these bytes, which arrive in pieces. This side ends when `over` settles: who does so before its answer
 * has left to the server, and an unfinished request is refused. The other side has to end then, too.
 */
export function converse(port: number, pieces: readonly Buffer[], over: Promise<void>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const giveUp = setTimeout(() => {
      socket.destroy();
      const last = Buffer.concat(received).toString('latin1').slice(-200);
      reject(new Error(`no end: the connection stays open behind ${JSON.stringify(last)}`));
    }, patienceMs);
    socket
      .setNoDelay(true)
      .on('data', (chunk: Buffer) => received.push(chunk))
      // A reset is an answer, too.
      .on('error', () => {})
      .on('end', () => socket.destroy())
      .on('close', () => {
        clearTimeout(giveUp);
        resolve(Buffer.concat(received));
      });
    for (const piece of pieces) socket.write(piece);
    void over.then(() => socket.end());
  });
}
