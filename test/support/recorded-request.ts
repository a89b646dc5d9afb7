import type { IncomingMessage, ServerResponse } from 'node:http';

/** Header lines as they came: case, order and repetition kept. */
export type HeaderLines = readonly (readonly [name: string, value: string])[];

export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  readonly headerLines: HeaderLines;
  /** All values of a header, whatever its case. */
  header(name: string): readonly string[];
  /** What has come of the body. */
  readonly body: Buffer;
  /** The whole body came. */
  readonly complete: boolean;
  /** The peer left before the answer was sent in full. */
  readonly aborted: boolean;
  /** Milliseconds of the monotonic clock when the peer left. */
  readonly abortedAt: number | undefined;
}

/** The request while it is still coming. */
export interface Recording extends RecordedRequest {
  body: Buffer;
  complete: boolean;
  aborted: boolean;
  abortedAt: number | undefined;
  /** Settles when the body came or the peer left. */
  readonly received: Promise<void>;
}

/** Starts to record; the body follows as it comes. */
export function record(incoming: IncomingMessage, response: ServerResponse): Recording {
  const headerLines: (readonly [string, string])[] = [];
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    headerLines.push([incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '']);
  }
  const { promise: received, resolve } = Promise.withResolvers<void>();
  const recording: Recording = {
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    httpVersion: incoming.httpVersion,
    headerLines,
    header: (name) =>
      headerLines.filter(([found]) => found.toLowerCase() === name.toLowerCase()).map(([, value]) => value),
    body: Buffer.alloc(0),
    complete: false,
    aborted: false,
    abortedAt: undefined,
    received,
  };
  incoming.on('data', (chunk: Buffer) => (recording.body = Buffer.concat([recording.body, chunk])));
  incoming.on('end', () => {
    recording.complete = true;
    resolve();
  });
  incoming.on('error', () => resolve());
  incoming.on('close', () => resolve());
  response.on('close', () => {
    if (response.writableFinished || response.socket?.destroyed === false) return;
    recording.aborted = true;
    recording.abortedAt = performance.now();
  });
  return recording;
}
