import { describe, expect, it } from 'vitest';

import type { Call } from './call.ts';
import { loginInputName, opensUrls } from './opens-urls.ts';

interface Asked {
  readonly method?: string;
  readonly capabilities?: unknown;
  readonly inputResponses?: unknown;
  readonly batch?: boolean;
}

function call({ method = 'tools/call', batch = false, inputResponses, ...asked }: Asked): Call {
  const { capabilities = { elicitation: { url: {} } } } = asked;
  const meta = { 'io.modelcontextprotocol/clientCapabilities': capabilities };
  const message = { jsonrpc: '2.0', id: 1, method, params: { name: 'x', inputResponses, _meta: meta } };
  const bytes = Buffer.from(JSON.stringify(batch ? [message] : message));
  return { messages: [{ kind: 'request', method, id: '1', target: 'x' }], batch, bytes };
}

const revision = '2026-07-28';

describe('a client that has its person open an address', () => {
  it.each(['tools/call', 'prompts/get', 'resources/read'])('says so with its %s', (method) => {
    expect(opensUrls(call({ method }), revision)).toBe(true);
  });

  it('is asked again when its person hasn’t come back yet', () => {
    const inputResponses = { [loginInputName]: { action: 'accept' } };
    expect(opensUrls(call({ inputResponses }), revision)).toBe(true);
  });
});

describe('a client isn’t asked', () => {
  it.each<[string, Call | null, string | string[] | undefined]>([
    ['without a message', null, revision],
    ['of an earlier revision', call({}), '2025-11-25'],
    ['without a revision', call({}), undefined],
    ['with other requests', call({ method: 'tools/list' }), revision],
    ['without capabilities', call({ capabilities: null }), revision],
    ['that can’t elicit', call({ capabilities: {} }), revision],
    ['that shows forms alone', call({ capabilities: { elicitation: {} } }), revision],
    ['that says it in another form', call({ capabilities: { elicitation: { url: true } } }), revision],
    ['in a batch', call({ batch: true }), revision],
    ...['decline', 'cancel'].map((action): [string, Call, string] => [
      `whose person said ${action}`,
      call({ inputResponses: { [loginInputName]: { action } } }),
      revision,
    ]),
  ])('%s', (_what, asked, at) => expect(opensUrls(asked, at)).toBe(false));

  it('with a notification', () => {
    const { bytes } = call({});
    const messages = [{ kind: 'notification', method: 'tools/call', target: 'x' }] as const;
    expect(opensUrls({ messages, batch: false, bytes }, revision)).toBe(false);
  });
});
