import { describe, expect, it } from 'vitest';

import { readMessage } from '../mcp/read-message.ts';
import { questionsOf } from './question.ts';

function questions(method: string, params: unknown): readonly unknown[] {
  const read = readMessage(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })));
  if (!read.ok) throw new Error(read.refusal.reason);
  return read.call.messages.flatMap((message) => questionsOf(message, read.value));
}

const uri = 'file:///a';

describe('what a message asks for', () => {
  it.each([
    ['tools/call', { name: 'a', arguments: { x: 1 } }, [{ kind: 'tool', target: 'a', arguments: { x: 1 } }]],
    ['tools/call', { name: '__proto__' }, [{ kind: 'tool', target: '__proto__', arguments: undefined }]],
    ['tools/call', { name: 'a/../b' }, [{ kind: 'tool', target: 'a/../b' }]],
    ['tools/call', { name: 'a', arguments: null }, [{ kind: 'tool', target: 'a', arguments: null }]],
    ['prompts/get', { name: 'p' }, [{ kind: 'prompt', target: 'p', arguments: undefined }]],
    ['resources/read', { uri, name: 'b' }, [{ kind: 'resource', target: uri }]],
    ['resources/subscribe', { uri }, [{ kind: 'resource', target: uri }]],
    ['resources/unsubscribe', { uri }, [{ kind: 'resource', target: uri }]],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'p', uri } },
      [{ kind: 'prompt', target: 'p' }],
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri, name: 'p' } },
      [{ kind: 'resource', target: uri }],
    ],
    [
      'subscriptions/listen',
      { notifications: { resourceSubscriptions: [uri, 'file:///b'] } },
      [
        { kind: 'resource', target: uri },
        { kind: 'resource', target: 'file:///b' },
      ],
    ],
    [
      'subscriptions/listen',
      { notifications: { toolsListChanged: true } },
      [{ kind: undefined, target: '' }],
    ],
    ['logging/setLevel', { level: 'info' }, [{ kind: undefined, target: '' }]],
    ['vendor/thing', { name: 'a' }, [{ kind: undefined, target: '' }]],
  ])('%s %j', (method, params, expected) => {
    expect(questions(method, params)).toEqual(
      expected.map((question) => expect.objectContaining({ method, ...question })),
    );
  });

  it.each([
    ['tools/call', undefined],
    ['tools/call', {}],
    ['tools/call', { name: 7 }],
    ['tools/call', { name: '' }],
    ['tools/call', { name: ['a'] }],
    ['tools/call', ['a']],
    ['tools/call', { uri }],
    ['prompts/get', { name: null }],
    ['resources/read', { name: 'a' }],
    ['resources/read', { uri: 'file:///a/../b' }],
    ['completion/complete', { name: 'p' }],
    ['completion/complete', { ref: { name: 'p' } }],
    ['completion/complete', { ref: { type: 'ref/tool', name: 'p' } }],
    ['completion/complete', { ref: [{ type: 'ref/prompt', name: 'p' }] }],
    ['completion/complete', { ref: null }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: uri } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: [7] } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: Array(101).fill(uri) } }],
  ])('%s %j says nothing that a rule could admit', (method, params) => {
    const [question] = questions(method, params);
    expect(question).toHaveProperty('says');
  });

  it.each([
    ['tools/call', {}, 'tool', "tools/call doesn't name a tool"],
    ['prompts/get', {}, 'prompt', "prompts/get doesn't name a prompt"],
    ['resources/read', {}, 'resource', "resources/read doesn't name a resource"],
    ['resources/read', { uri: 'x:/../a' }, 'resource', 'the URI has dot segments or control characters'],
    [
      'completion/complete',
      { ref: { type: 'x' } },
      undefined,
      'completion/complete has a ref of no known type',
    ],
    [
      'subscriptions/listen',
      { notifications: { resourceSubscriptions: {} } },
      'resource',
      "resourceSubscriptions isn't a list of up to 100",
    ],
  ])('%s %j: the log is told of the %s that %s', (method, params, kind, says) => {
    expect(questions(method, params)).toEqual([{ method, kind, says }]);
  });

  it('asks for nothing by a response, and for the subscription itself where it names no resource', () => {
    expect(questionsOf({ kind: 'response' }, {})).toEqual([]);
    const itself = [{ method: 'subscriptions/listen', kind: undefined, target: '', arguments: undefined }];
    for (const params of [
      undefined,
      { notifications: null },
      { notifications: {} },
      { notifications: { resourceSubscriptions: [] } },
    ])
      expect(questions('subscriptions/listen', params)).toEqual(itself);
    const hundred = Array.from({ length: 100 }, (_, index) => `x:${index}`);
    const all = questions('subscriptions/listen', { notifications: { resourceSubscriptions: hundred } });
    expect(all).toHaveLength(100);
  });

  it('carries arguments of tools and prompts alone', () => {
    const given = { arguments: { a: 1 } };
    expect(questions('prompts/get', { name: 'p', ...given })).toMatchObject([given]);
    expect(questions('resources/read', { uri, ...given })).toMatchObject([{ arguments: undefined }]);
    expect(questions('vendor/x', { name: 'x', ...given })).toEqual([
      { method: 'vendor/x', kind: undefined, target: '', arguments: undefined },
    ]);
  });
});
