import fc from 'fast-check';

import { judgeLive, type Placeholders, type Sent } from '../judge-live.ts';
import { Tally, type FuzzTarget, type OpenTarget } from '../target.ts';
import { startWatchedGateway } from '../watched-gateway.ts';

const segment = fc.oneof(
  fc.constantFrom(
    'mcp',
    'guarded',
    '.well-known',
    'oauth-protected-resource',
    'healthz',
    'metrics',
    '..',
    '.',
    '',
    '%6dcp',
    'MCP',
  ),
  fc.constantFrom(
    '%2e%2e',
    '%2f',
    '%5c',
    '\\',
    ';x',
    '%00',
    '%',
    '%zz',
    '%c0%af',
    '.unroutable',
    'jwks.json',
    'portcullis',
    '$host',
  ),
  fc.string({ maxLength: 6 }),
);
const target = fc.oneof(fc.constantFrom('/mcp', '/mcp/', '/mcp?x=y', '/guarded'), composedTarget());

function composedTarget(): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom('/', '/', '/', '//', '', 'http://$host/', 'http://evil.example/', '*', '/\\'),
      fc.array(segment, { maxLength: 4 }).map((all) => all.join('/')),
      fc.constantFrom('', '', '?', '?a=b', '?access_token=$token', '#x', '?%', '??', '/'),
    )
    .map((parts) => parts.join(''));
}
const host = fc.oneof(
  fc.constantFrom(
    '$host',
    '$host',
    '$host',
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1',
    'evil.example',
    '$host, evil',
    '[::1]',
    'localhost.',
  ),
  fc.string({ maxLength: 12 }),
);

const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

/** A request target and, behind the first line end, a `Host`: asked for with a token and without, and as metadata. */
export const address: FuzzTarget = {
  name: 'address',
  inputs: fc.tuple(target, host).map((parts) => Buffer.from(parts.join('\n'), 'latin1')),
  words: [
    '/mcp',
    '/guarded',
    '/.well-known/oauth-protected-resource',
    '%2f',
    '%2e%2e/',
    '//',
    '\\',
    'http://',
    '$host',
    '@',
    '?',
    '#',
  ].concat([':80', 'localhost', '%25', ';', '/mcp/', '/.unroutable', '\xe9', '%E0%A4%A']),
  async open() {
    const gateway = await startWatchedGateway();
    const tally = new Tally();
    return {
      tally,
      judge: (inputs) => judgeLive(inputs, { gateway, tally, sentFor: requestsFor }),
      [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
    } satisfies OpenTarget;
  },
};

function requestsFor(input: Buffer, { port, token }: Placeholders): readonly Sent[] {
  const [path = '', ...rest] = input.toString('latin1').replaceAll('$host', `localhost:${port}`).split('\n');
  // Line ends make other requests of it, which are the next target's.
  const [line, name] = [path, rest.join('')].map((text) =>
    text.replaceAll('$token', token).replace(/[\r\n]/g, ''),
  );
  const post = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  const ask = (text: string, mayArrive: number): Sent => ({
    pieces: [Buffer.from(text, 'latin1')],
    mayArrive,
  });
  return [
    ask(`POST ${line} HTTP/1.1\r\nHost: ${name}\r\n${post}`, 0),
    ask(`POST ${line} HTTP/1.1\r\nHost: ${name}\r\nAuthorization: Bearer ${token}\r\n${post}`, 1),
    ask(`GET ${line} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`, 0),
  ];
}
