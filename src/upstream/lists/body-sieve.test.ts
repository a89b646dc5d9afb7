import { expect, it } from 'vitest';
import { BodySieve } from './body-sieve.ts';
import { maximumHeldBytes, maximumListBytes } from './sifted.ts';

const sieve = (): BodySieve => new BodySieve((_list, name) => name !== 'secret');
const textOf = (sifted: ReturnType<BodySieve['end']>): string =>
  sifted.state === 'open' ? sifted.bytes.toString() : sifted.state === 'fault' ? sifted.detail : 'held';

it('holds an answer until it is whole, then lets it go without what is hidden', () => {
  const one = sieve();
  expect(one.pass(Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"na'))).toEqual({ state: 'held' });
  expect(one.pass(Buffer.from('me":"secret"},{"name":"a"}]}}'))).toEqual({ state: 'held' });
  expect(textOf(one.end())).toBe('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}]}}');
});

it.each(['', 'Accepted', '<p>It isn’t', '{"result":{"content":[]}}', '{"broken":'])(
  'lets %j go as it is',
  (text) => {
    const one = sieve();
    one.pass(Buffer.from(text));
    expect(textOf(one.end())).toBe(text);
  },
);

it('lets a long answer without a list go on as it comes, until one turns up', () => {
  const one = sieve();
  const beginning = Buffer.from(`{"result":{"content":"${'x'.repeat(maximumHeldBytes)}`);
  expect(one.pass(beginning)).toEqual({ state: 'open', bytes: beginning });
  const more = Buffer.from('more"');
  expect(one.pass(more)).toEqual({ state: 'open', bytes: more });
  expect(textOf(one.pass(Buffer.from(',"tools":[{"name":"secret"}]}}')))).toBe(
    'a list behind the first MiB of a message',
  );
});

it('holds a list up to its bound and no further (D-009)', () => {
  const one = sieve();
  one.pass(Buffer.from('{"result":{"tools":["'));
  const chunk = Buffer.alloc(maximumListBytes / 2, 'x');
  expect(one.pass(chunk).state).toBe('held');
  expect(textOf(one.pass(chunk))).toBe('a list of more than 4 MiB');
});

it('gives up what cannot be filtered', () => {
  const one = sieve();
  one.pass(Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"error":{}}'));
  expect(textOf(one.end())).toContain('is no answer');
});
