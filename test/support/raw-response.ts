import type { HeaderLines } from './recorded-request.ts';

export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  readonly headerLines: HeaderLines;
  /** All values of a header, whatever its case. */
  header(name: string): readonly string[];
  /** Decoded from chunks where it was chunked; empty after `head()`. */
  readonly body: Buffer;
}

interface Framing {
  readonly until: 'head' | 'end';
  readonly peerClosed: boolean;
  readonly to: 'HEAD' | undefined;
}

/**
 * The first final response in the bytes and its length in them, or undefined while more must come.
 * Interim responses (1xx) are passed over.
 */
export function parseResponse(
  bytes: Buffer,
  framing: Framing,
): { response: RawResponse; length: number } | undefined {
  let from = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', from);
    if (end < 0) return undefined;
    const head = parseHead(bytes.toString('latin1', from, end));
    from = end + 4;
    if (head.status >= 100 && head.status < 200) continue;
    if (framing.until === 'head') return { response: { ...head, body: Buffer.alloc(0) }, length: from };
    const body = parseBody(bytes.subarray(from), head, framing);
    return body && { response: { ...head, body: body.body }, length: from + body.length };
  }
}

type Head = Omit<RawResponse, 'body'>;

function parseHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine);
  if (match === null) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const headerLines = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(match[1]),
    reason: match[2] ?? '',
    headerLines,
    header: (name) =>
      headerLines.filter(([found]) => found.toLowerCase() === name.toLowerCase()).map(([, value]) => value),
  };
}

function parseBody(
  bytes: Buffer,
  head: Head,
  framing: Framing,
): { body: Buffer; length: number } | undefined {
  if (framing.to === 'HEAD' || head.status === 204 || head.status === 304) {
    return { body: Buffer.alloc(0), length: 0 };
  }
  if (head.header('transfer-encoding').some((value) => value.toLowerCase() === 'chunked'))
    return parseChunks(bytes);
  const [declared] = head.header('content-length');
  if (declared !== undefined) {
    const length = Number(declared);
    return bytes.length < length ? undefined : { body: bytes.subarray(0, length), length };
  }
  return framing.peerClosed ? { body: bytes, length: bytes.length } : undefined;
}

function parseChunks(bytes: Buffer): { body: Buffer; length: number } | undefined {
  const chunks: Buffer[] = [];
  let from = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n', from);
    if (end < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', from, end), 16);
    if (Number.isNaN(size)) throw new Error('not a chunk size');
    const next = end + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return { body: Buffer.concat(chunks), length: next };
    chunks.push(bytes.subarray(end + 2, end + 2 + size));
    from = next;
  }
}
