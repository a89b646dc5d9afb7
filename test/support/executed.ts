import { expect } from 'vitest';
import type { AuditEvent } from './gateway.ts';
import type { RecordedRequest } from './recorded-request.ts';

/** Texts of the audit are cut there. */
const longestText = 255;

interface Message {
  readonly method?: unknown;
  readonly params?: { readonly name?: unknown; readonly uri?: unknown };
}

/** Whom a call is about, by its method. */
const targets: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

const cut = (text: string): string =>
  text.length > longestText + 1 ? `${text.slice(0, longestText)}…` : text;

/** What an upstream was given to run, in the words of the audit: who asked is in its headers, the rest in its body. */
function executed(request: RecordedRequest): readonly unknown[] {
  const messages = [JSON.parse(request.body.toString() || 'null') as unknown].flat() as (Message | null)[];
  const methods = messages.flatMap((message) =>
    typeof message?.method === 'string' ? [message.method] : [],
  );
  const [only] = messages;
  const member = messages.length === 1 ? targets[methods[0] ?? ''] : undefined;
  const target = member === undefined ? undefined : only?.params?.[member];
  return [
    request.method,
    methods.length === 0 ? null : cut(methods.join(',')),
    typeof target === 'string' ? cut(target) : undefined,
  ];
}

/** Each request that reached the upstream stands in the audit with the method and the name that the upstream reads. */
export function expectAudited(requests: readonly RecordedRequest[], events: readonly AuditEvent[]): void {
  const left = [...events];
  for (const request of requests.filter(({ complete }) => complete)) {
    const [httpMethod, rpcMethod, target] = executed(request);
    const at = left.findIndex(
      (event) =>
        event['httpMethod'] === httpMethod &&
        event['rpcMethod'] === rpcMethod &&
        (target === undefined || event['target'] === target),
    );
    if (at === -1)
      expect.fail(`no audit event says ${JSON.stringify([httpMethod, rpcMethod, target])} of what was run`);
    left.splice(at, 1);
  }
}
