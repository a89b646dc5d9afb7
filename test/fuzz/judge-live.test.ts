/** The oracle of the targets over a connection: it must find what a gateway lets through that it shouldn't. */
import { createServer } from 'node:http';

import { expect, it } from 'vitest';

import { closeServer, listenOnLoopback } from '../support/loopback.ts';
import { judgeLive } from './judge-live.ts';
import { Tally } from './target.ts';
import type { Arrival } from './watched-gateway.ts';

/** Of each of the plain requests that tell when all is over. */
const plain: Arrival = { method: 'POST', target: '/mcp', headers: { 'x-auth-subject': ['user-plain'] } };

const ofUser = (place: number, changes: Partial<Arrival> = {}): Arrival => ({
  ...plain,
  headers: { 'x-auth-subject': [`user-${place}`] },
  ...changes,
});

/** What the oracle says of inputs that may arrive once each, where these requests come to the upstream. */
async function judge(arrivals: readonly Arrival[], inputs = 1): Promise<readonly (string | undefined)[]> {
  const server = createServer((_request, response) => response.end());
  const port = await listenOnLoopback(server);
  const gateway = {
    port,
    tokenOf: (subject: string) => subject,
    takeArrivals: () => [plain, plain, ...arrivals],
    takeDefects: () => [],
    [Symbol.asyncDispose]: () => closeServer(server),
  };
  try {
    return await judgeLive(
      Array.from({ length: inputs }, () => Buffer.alloc(0)),
      { gateway, tally: new Tally(), sentFor: () => [{ pieces: [], mayArrive: 1 }] },
    );
  } finally {
    await closeServer(server);
  }
}

it('finds nothing where each arrives once, as itself', async () => {
  expect(await judge([ofUser(0), ofUser(1)], 2)).toEqual([undefined, undefined]);
});

it.each<readonly [string, Arrival, RegExp]>([
  [
    'where the token has too few scopes',
    ofUser(0, { target: '/guarded' }),
    /decides where it goes: \/guarded/,
  ],
  ['by another method', ofUser(0, { method: 'PUT' }), /another method/],
  ['as nobody', { ...plain, headers: {} }, /nobody is let in/],
  ['as somebody else besides', { ...plain, headers: { 'x-auth-subject': ['user-0', 'admin'] } }, /nobody/],
  [
    'with a header that some servers take for another',
    { ...plain, headers: { 'x-auth-subject': ['user-0'], x_auth_subject: ['admin'] } },
    /a header goes on: x_auth_subject/,
  ],
  [
    'with its token',
    { ...plain, headers: { 'x-auth-subject': ['user-0'], authorization: ['Bearer x'] } },
    /a header goes on: authorization/,
  ],
])('finds a request that arrives %s', async (_how, arrival, fault) => {
  expect(await judge([arrival])).toEqual([expect.stringMatching(fault)]);
});

it('finds a second request on the token of one, though the tokens of others went nowhere', async () => {
  const [first] = await judge([ofUser(0), ofUser(0)], 3);
  expect(first).toMatch(/^more requests arrive than have a token: 2 of user-0$/);
});
