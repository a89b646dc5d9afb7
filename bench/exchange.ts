import { callHeaders, toolsAnswer, toolsCall } from './call.ts';
import { answerOfEvents, answerOfTools } from './contestants/answers.ts';

/** What is asked over and over, and what has to be answered. */
export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  /** Empty: none. */
  readonly body: string;
  readonly status: number;
  /** The exact body of the answer; undefined where it is whatever it is. */
  readonly answer: string | undefined;
}

/** About 200 bytes each way. */
export const smallCall = callOf(toolsCall, toolsAnswer);

/** The bytes of a file in one long string, as write tools get it. */
export const callWith64KiB = callOf(callOfText(64 * 1024), toolsAnswer);
export const callWith1MiB = callOf(callOfText(1024 * 1024), toolsAnswer);

/** Of the size of `callWith64KiB`, in many small values: rows, as import tools get them. */
export const callWithRows = callOf(callOfRows(64 * 1024), toolsAnswer);

/** Answered with a stream of events, each sent on its own. */
export const callForEvents = callOf(
  toolsCall.replace('get_forecast', 'watch_forecast'),
  answerOfEvents.join(''),
);

/** Answered with 500 tools. */
export const callForTools = callOf(listCall(), JSON.stringify(answerOfTools));

/** A call of whoever has no token. */
export const refusedCall: Exchange = { ...smallCall, status: 401, answer: undefined };

export const metadataFetch: Exchange = {
  method: 'GET',
  headers: { Accept: 'application/json' },
  body: '',
  status: 200,
  answer: undefined,
};

function callOf(body: string, answer: string): Exchange {
  return { method: 'POST', headers: callHeaders, body, status: 200, answer };
}

function listCall(): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
}

function callOfText(size: number): string {
  const line = 'The quick brown fox jumps over the lazy dog.\n';
  return importCall({ text: line.repeat(Math.ceil(size / line.length)).slice(0, size) });
}

function callOfRows(size: number): string {
  const row = (id: number): unknown => ({ id, city: 'Lisboa "São Jorge"', degrees: 21.5, tags: ['a', 'b'] });
  const rowSize = Buffer.byteLength(JSON.stringify(row(10_000))) + 1;
  return importCall({ rows: Array.from({ length: Math.floor(size / rowSize) }, (_, index) => row(index)) });
}

function importCall(given: unknown): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'import', arguments: given },
  });
}
