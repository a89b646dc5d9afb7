import fc from 'fast-check';

import { judgeLive, type Placeholders, type Sent } from '../judge-live.ts';
import { Tally, type FuzzTarget, type OpenTarget } from '../target.ts';
import { startWatchedGateway } from '../watched-gateway.ts';

const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

const good = ['Host: $host', 'Authorization: Bearer $token', 'Content-Type: application/json'];

const oddHeaders = [
  'Transfer-Encoding: chunked',
  'Content-Length: 0',
  'Content-Length: 4',
  'Connection: close',
  'Connection: keep-alive, X-Auth-Subject',
  'Expect: 100-continue',
  'Upgrade: websocket',
  'X-Auth-Subject: admin',
  'x_auth_subject: admin',
  'Accept: text/event-stream',
  'Transfer-Encoding: gzip, chunked',
  'Origin: null',
  'Content-Encoding: gzip',
  'MCP-Protocol-Version: 2026-07-28',
  'Mcp-Session-Id: x',
  'Authorization: Bearer x',
  'Host: evil.example',
  'Last-Event-ID: 1',
  'TE: trailers',
  'Trailer: Authorization',
  ' folded: 1',
];

const header = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...good, `Content-Length: ${body.length}`),
  },
  fc.constantFrom(...oddHeaders),
  fc
    .tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 12 }))
    .map(([name, value]) => `${name}: ${value}`),
);

const anyRequest = fc
  .tuple(
    fc.constantFrom(
      'POST',
      'POST',
      'POST',
      'GET',
      'DELETE',
      'OPTIONS',
      'HEAD',
      'PUT',
      'CONNECT',
      'PRI',
      'M-SEARCH',
      'post',
    ),
    fc.constantFrom(
      '/mcp',
      '/mcp',
      '/guarded',
      '/',
      '*',
      '/.well-known/oauth-protected-resource/mcp',
      'http://$host/mcp',
      '$host',
    ),
    fc.constantFrom(' HTTP/1.1', ' HTTP/1.1', ' HTTP/1.1', ' HTTP/1.0', ' HTTP/2.0', '', ' HTTP/1.1 '),
    fc.oneof(fc.constant([]), fc.constant(good)),
    fc.array(header, { maxLength: 4 }),
    fc.constantFrom(
      '',
      body,
      `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      '0\r\n\r\n',
      body.slice(5),
      '5;x=y\r\nhello\r\n0\r\nHost: x\r\n\r\n',
    ),
  )
  .map(
    ([method, target, version, most, headers, content]) =>
      `${[`${method} ${target}${version}`, ...most, ...headers].join('\r\n')}\r\n\r\n${content}`,
  );

/** Fit to be let in but for one line or two, and so that another one may follow. */
const nearlyGood = fc
  .tuple(
    fc.constantFrom('/mcp', '/mcp', '/guarded'),
    fc.constantFrom([], good, good, [good[0] ?? '', good[2] ?? '']),
    fc.array(header, { maxLength: 1 }),
  )
  .map(([target, most, more]) =>
    [`POST ${target} HTTP/1.1`, ...most, ...more, `Content-Length: ${body.length}\r\n\r\n${body}`].join(
      '\r\n',
    ),
  );

const request = fc.oneof({ weight: 2, arbitrary: anyRequest }, nearlyGood);

/** Bytes on a connection, whatever they are. */
export const http: FuzzTarget = {
  name: 'http',
  inputs: fc.array(request, { minLength: 1, maxLength: 3 }).map((all) => Buffer.from(all.join(''), 'latin1')),
  words: [
    '\r\n',
    '\r\n\r\n',
    'Host: $host\r\n',
    'Authorization: Bearer $token\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 10\r\n',
    body,
  ].concat(
    [
      'POST /mcp HTTP/1.1\r\n',
      'GET /mcp HTTP/1.1\r\n',
      '0\r\n\r\n',
      ' HTTP/1.1',
      '\r\n ',
      'X-Auth-Subject: admin\r\n',
      'Expect: 100-continue\r\n',
    ],
    ['Connection: close\r\n', 'Content-Type: application/json\r\n', 'Upgrade: h2c\r\n', ';a=b', '\n', '\0'],
  ),
  async open() {
    const gateway = await startWatchedGateway();
    const tally = new Tally();
    const sentFor = (input: Buffer, placeholders: Placeholders): readonly Sent[] => [
      bytesFor(input, placeholders),
    ];
    return {
      tally,
      judge: (inputs) => judgeLive(inputs, { gateway, tally, sentFor }),
      [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
    } satisfies OpenTarget;
  },
};

/** Split in two where the length says, so that the parser meets cuts everywhere. */
function bytesFor(input: Buffer, { port, token }: Placeholders): Sent {
  const text = input.toString('latin1');
  const bytes = Buffer.from(
    text.replaceAll('$host', `localhost:${port}`).replaceAll('$token', token),
    'latin1',
  );
  const at = (input.length * 7) % (bytes.length + 1);
  return { pieces: [bytes.subarray(0, at), bytes.subarray(at)], mayArrive: text.split('$token').length - 1 };
}
