/**
 * A client that sends exactly the bytes it is told to, over one connection, and reads what comes back
 * without a library's opinion. Every wait is bounded.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { eventually } from './loopback.ts';
import { parseResponse, type RawResponse } from './raw-response.ts';

export interface RawClient extends AsyncDisposable {
  /** Strings are sent as latin1, so that `\x80` is one byte. */
  send(bytes: string | Buffer): void;
  /** Half-closes: nothing more will be sent. */
  endWrites(): void;
  /** The next response, whole. `to: 'HEAD'` says that it has no body. */
  response(options?: { readonly withinMs?: number; readonly to?: 'HEAD' }): Promise<RawResponse>;
  /** The next response's head, as soon as it came; the body then follows in `received`. */
  head(withinMs?: number): Promise<RawResponse>;
  /** Waits until the bytes that came and weren't taken by `response()` hold this text. */
  received(text: string, withinMs?: number): Promise<void>;
  /** Bytes that came and weren't taken by `response()`. */
  readonly pending: Buffer;
  /** The peer closed or reset the connection. */
  readonly peerClosed: boolean;
  /** Waits for it. */
  closedByPeer(withinMs?: number): Promise<void>;
  /** Stops reading, so that the peer meets a full window; `resume` reads again. */
  pause(): void;
  resume(): void;
  /** Leaves at once with RST, as a killed client does. */
  reset(): void;
  close(): Promise<void>;
}

export interface RawTarget {
  readonly port: number;
  readonly host?: string;
  /** Speak TLS, trusting this certificate authority (PEM text). */
  readonly ca?: string;
}

export async function connectRaw(target: RawTarget): Promise<RawClient> {
  const socket = await open(target);
  let pending: Buffer = Buffer.alloc(0);
  let peerClosed = false;
  socket.on('data', (chunk: Buffer) => (pending = Buffer.concat([pending, chunk])));
  socket.on('end', () => (peerClosed = true));
  socket.on('close', () => (peerClosed = true));
  socket.on('error', () => (peerClosed = true));

  async function next(
    until: 'head' | 'end',
    options: { withinMs?: number; to?: 'HEAD' },
  ): Promise<RawResponse> {
    let parsed: { response: RawResponse; length: number } | undefined;
    await eventually(
      `a response (came: ${JSON.stringify(pending.toString('latin1').slice(0, 200))})`,
      () => {
        parsed = parseResponse(pending, { until, peerClosed, to: options.to });
        if (parsed === undefined && peerClosed)
          throw new Error(`closed without a response: ${pending.toString('latin1').slice(0, 200)}`);
        return parsed !== undefined;
      },
      options.withinMs,
    );
    if (parsed === undefined) throw new Error('unreachable: eventually() throws first');
    if (until === 'end') pending = pending.subarray(parsed.length);
    return parsed.response;
  }

  async function close(): Promise<void> {
    socket.destroy();
    await eventually('the socket closes', () => socket.closed);
  }

  return {
    send: (bytes) => void socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    endWrites: () => void socket.end(),
    response: (options = {}) => next('end', options),
    head: (withinMs) => next('head', withinMs === undefined ? {} : { withinMs }),
    received: (text, withinMs) =>
      eventually(`${JSON.stringify(text)} is received`, () => pending.includes(text), withinMs),
    get pending() {
      return pending;
    },
    get peerClosed() {
      return peerClosed;
    },
    closedByPeer: (withinMs) => eventually('the peer closes', () => peerClosed, withinMs),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    reset: () => void socket.resetAndDestroy(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function open(target: RawTarget): Promise<Socket> {
  const options = { port: target.port, host: target.host ?? '127.0.0.1', allowHalfOpen: true };
  return new Promise((resolve, reject) => {
    const socket: Socket =
      target.ca === undefined
        ? connect(options, () => resolve(socket))
        : connectTls({ ...options, ca: target.ca, servername: 'localhost' }, () => resolve(socket));
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}
