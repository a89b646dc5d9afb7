import { LaterEndpoint, isEndpoint } from './later-endpoint.ts';

/** Before it says where to post, a server has little to say. */
const maximumOpeningBytes = 16 * 1024;

export type Opening =
  | { readonly state: 'pending' }
  /** What may go on to the client. */
  | { readonly state: 'open'; readonly bytes: Buffer }
  | { readonly state: 'fault'; readonly detail: string };

/** An address of the server's own in the gateway's words; undefined where it mustn't be passed on. */
export type RewriteEndpoint = (endpoint: string) => string | undefined;

interface Line {
  readonly text: string;
  /** Where the next line begins. */
  readonly next: number;
}

/**
 * A legacy event stream (MCP 2024-11-05, HTTP with SSE) with its `endpoint` event, which says where the client's
 * messages go. Comments and other events before it pass as they are, and so does every byte behind it, but for a second
 * one: that is a fault. It reads lines as WHATWG HTML §9.2.6 has them.
 */
export class EndpointEvent {
  readonly #rewrite: RewriteEndpoint;
  #held = Buffer.alloc(0);
  /** Once it has been found. */
  #later: LaterEndpoint | undefined;

  constructor(rewrite: RewriteEndpoint) {
    this.#rewrite = rewrite;
  }

  pass(chunk: Buffer): Opening {
    if (this.#later !== undefined)
      return this.#later.isNamedIn(chunk) ? second : { state: 'open', bytes: chunk };
    this.#held = Buffer.concat([this.#held, chunk]);
    const opening = this.#look();
    return opening.state === 'pending' && this.#held.length > maximumOpeningBytes
      ? { state: 'fault', detail: 'no endpoint event at the beginning of the stream' }
      : opening;
  }

  #look(): Opening {
    // One character for each byte: positions in the text are positions in the bytes.
    const text = this.#held.toString('latin1');
    let eventStart = text.startsWith('\xef\xbb\xbf') ? 3 : 0;
    let type = '';
    let data: string[] = [];
    for (let line = lineAt(text, eventStart); line !== undefined; line = lineAt(text, line.next)) {
      if (line.text !== '') {
        const { name, value } = fieldOf(line.text);
        if (name === 'event') type = value;
        if (name === 'data') data.push(value);
      } else {
        if (isEndpoint(type)) return this.#open(data.join('\n'), eventStart, line.next);
        eventStart = line.next;
        type = '';
        data = [];
      }
    }
    return { state: 'pending' };
  }

  #open(endpoint: string, start: number, end: number): Opening {
    const address = this.#rewrite(endpoint);
    if (address === undefined)
      return { state: 'fault', detail: 'an endpoint that is no address in the folder of upstream.url' };
    const [before, behind] = [this.#held.subarray(0, start), this.#held.subarray(end)];
    this.#held = Buffer.alloc(0);
    this.#later = new LaterEndpoint();
    if (this.#later.isNamedIn(behind)) return second;
    const rewritten = Buffer.from(`event: endpoint\ndata: ${address}\n\n`);
    return { state: 'open', bytes: Buffer.concat([before, rewritten, behind]) };
  }
}

const second: Opening = { state: 'fault', detail: 'a second endpoint event' };

/** The line that begins there; undefined while its end hasn't come. */
function lineAt(text: string, from: number): Line | undefined {
  for (let at = from; at < text.length; at += 1) {
    const c = text[at];
    if (c === '\n') return { text: text.slice(from, at), next: at + 1 };
    if (c !== '\r') continue;
    // Behind a lone CR the LF of the same line end may still come.
    if (at + 1 === text.length) return undefined;
    return { text: text.slice(from, at), next: text[at + 1] === '\n' ? at + 2 : at + 1 };
  }
  return undefined;
}

function fieldOf(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(':');
  if (colon === -1) return { name: line, value: '' };
  return { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, '') };
}

/** Longer ones don't fit sealed into what a client may show. */
const maximumEndpointLength = 512;

/** A separator to whoever decodes it. */
const encodedSeparator = /%(?:2f|5c)/i;

/**
 * Path and query of an endpoint in the folder of the upstream's own path, resolved as a client would resolve it. A
 * server must not send the people that it serves, with their messages, anywhere else: on the same host another server
 * may stand, which trusts the identity that the gateway tells it.
 */
export function endpointPath(endpoint: string, upstreamUrl: string): string | undefined {
  if (!/^[\x21-\x7e]+$/.test(endpoint) || !URL.canParse(endpoint, upstreamUrl)) return undefined;
  const { origin, pathname, search, username, password } = new URL(endpoint, upstreamUrl);
  const folder = new URL('.', upstreamUrl);
  if (origin !== folder.origin || username !== '' || password !== '') return undefined;
  const isWithin =
    pathname.startsWith(folder.pathname) && (folder.pathname === '/' || !encodedSeparator.test(pathname));
  if (!isWithin) return undefined;
  const path = `${pathname}${search}`;
  return path.length > maximumEndpointLength ? undefined : path;
}
