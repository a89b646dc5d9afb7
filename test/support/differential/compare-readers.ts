/**
 * Whether any server could read something else in a body than the gateway did: the same generated bodies before
 * the gateway's reader and those of others. What the gateway refuses is no one's concern. Into every other body it puts a statement of who
 * asks, as on routes with `identity.assertion`: the message stays the same, and no client's statement is left.
 */
import { MIMEType } from 'node:util';

import { checkContent } from '../../../src/mcp/content.ts';
import { readMessage } from '../../../src/mcp/read-message.ts';
import { assertionName } from '../../../src/identity/assertions.ts';
import { writeMeta } from '../../../src/identity/write-meta.ts';
import type { Call, Message } from '../../../src/vocabulary/call.ts';
import type { GeneratedBody } from './bodies.ts';
import { bodiesFrom } from './bodies.ts';
import type { BodyReader, Finding, Found } from './found.ts';

export interface Comparison {
  readonly generated: number;
  readonly letThrough: number;
  /** By the gateway's reason, how often. */
  readonly refused: Readonly<Record<string, number>>;
  /** By the name of the reader, how many bodies it took. */
  readonly taken: Readonly<Record<string, number>>;
  /** By the name of the reader, the first few bodies in which it read something else. */
  readonly differences: Readonly<Record<string, readonly string[]>>;
}

/** Few enough that no pipe holds much, many enough that nobody waits. */
const chunkSize = 5_000;

const maximumTold = 3;

/** Generates `count` bodies from the seed; the same seed gives the same ones. */
export async function compareReaders(
  { count, seed }: { readonly count: number; readonly seed: number },
  readers: readonly BodyReader[],
): Promise<Comparison> {
  const next = bodiesFrom(seed);
  const refused: Record<string, number> = {};
  const taken: Record<string, number> = Object.fromEntries(readers.map(({ name }) => [name, 0]));
  const differences: Record<string, string[]> = Object.fromEntries(readers.map(({ name }) => [name, []]));
  const labels: string[] = (differences['media type'] = []);
  let letThrough = 0;
  for (let done = 0; done < count; done += chunkSize) {
    const calls: Forwarded[] = [];
    for (let each = done; each < Math.min(count, done + chunkSize); each += 1) {
      const generated = next();
      const judged = judgeBody(generated, each % 2 === 0 ? statement : undefined);
      if (typeof judged === 'string') refused[judged] = (refused[judged] ?? 0) + 1;
      else calls.push(judged);
      if (typeof judged !== 'string' && !isJsonInUtf8(generated.contentType))
        labels.push(generated.contentType);
    }
    letThrough += calls.length;
    await Promise.all(
      readers.map(async (reader) => {
        const { name } = reader;
        const findings = await reader.read(calls.map(({ sent }) => sent));
        for (const [index, call] of calls.entries()) {
          const finding = findings[index] ?? null;
          if (finding !== null) taken[name] = (taken[name] ?? 0) + 1;
          const told = differences[name] ?? [];
          if (told.length < maximumTold && bodyDiffers(call, finding))
            told.push(`${JSON.stringify(call.sent.toString())}: ${JSON.stringify(finding)}`);
        }
      }),
    );
  }
  return { generated: count, letThrough, refused, taken, differences };
}

/** What goes to a server, and what the gateway read in it. */
export interface Forwarded {
  readonly call: Call;
  readonly sent: Buffer;
  /** What the gateway says of who asks, in each request. */
  readonly statement: string | undefined;
}

/** The gateway's statement of who asks; what a client says in its place is never this. */
export const statement = 'signed';

/**
 * What the gateway makes of a body, with its own statement put in where there is one, or why it refuses it. Clients' own
 * statements are taken out in any case.
 */
export function judgeBody(
  { bytes, contentType }: GeneratedBody,
  own: typeof statement | undefined,
): Forwarded | string {
  const refusal = checkContent({ 'content-type': contentType });
  if (refusal !== undefined) return refusal.reason;
  const message = readMessage(bytes);
  if (!message.ok) return message.refusal.reason;
  const { call } = message;
  const sent = writeMeta(call, own === undefined ? undefined : `"${assertionName}":"${own}"`);
  return sent === undefined ? 'no place for a statement' : { call, sent, statement: own };
}

function isJsonInUtf8(contentType: string): boolean {
  const { essence, params } = new MIMEType(contentType);
  return essence === 'application/json' && /^utf-?8$/i.test(params.get('charset') ?? 'utf-8');
}

/** Whether another reader found something else in a body than the gateway did. */
export function bodyDiffers({ call: { messages }, statement: own }: Forwarded, finding: Finding): boolean {
  if (finding === null) return false;
  return (
    finding.length !== messages.length ||
    messages.some((message, index) => {
      const found = finding[index] ?? null;
      return found !== null && isOther(message, found, own);
    })
  );
}

function isOther(message: Message, found: Found, own: string | undefined): boolean {
  if (message.kind === 'response') return found.method !== null;
  const id = message.kind === 'request' ? message.id : 'null';
  return (
    found.assertion !== (message.kind === 'request' ? (own ?? null) : null) ||
    found.method !== message.method ||
    JSON.stringify(found.id) !== id ||
    (targetIn(found) ?? undefined) !== message.target
  );
}

/** What a server takes as the target of a call: MCP 2025-11-25, schema. */
function targetIn({ method, name, uri, refType, refName, refUri }: Found): string | null {
  if (method === null) return null;
  if (method.startsWith('resources/')) return uri;
  if (method !== 'completion/complete') return name;
  return refType === 'ref/resource' ? refUri : refName;
}
