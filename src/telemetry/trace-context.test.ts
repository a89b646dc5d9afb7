import { describe, expect, it } from 'vitest';

import { peersIn, receivedContext } from './trace-context.ts';
import { preloadedTracer, traceRequests } from './tracing.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the trace that a peer continues', () => {
  it.each([
    ['as it is', traceparent, { traceparent }],
    ['not recorded', traceparent.replace(/1$/, '0'), { traceparent: traceparent.replace(/1$/, '0') }],
    ['two lines, as Node joins them', `${traceparent}, ${traceparent}`, undefined],
    ['in capitals', traceparent.toUpperCase(), undefined],
    ['of another version', traceparent.replace('00', '01'), undefined],
    ['of no trace', traceparent.replace(/-0af\w+/, `-${'0'.repeat(32)}`), undefined],
    ['of no parent', traceparent.replace('b7ad6b7169203331', '0'.repeat(16)), undefined],
    ['with more behind it', `${traceparent}-00`, undefined],
    ['empty', '', undefined],
  ])('is read where it is one and well-formed: %s', (_form, given, expected) => {
    expect(receivedContext({ traceparent: given })).toEqual(expected);
  });

  it('goes without a state that is too long or unprintable', () => {
    expect(receivedContext({ traceparent, tracestate: 'a=1' })).toEqual({ traceparent, tracestate: 'a=1' });
    for (const tracestate of ['', 'a=\u00e9', `a=${'1'.repeat(511)}`])
      expect(receivedContext({ traceparent, tracestate })).toEqual({ traceparent });
    expect(receivedContext({ tracestate: 'a=1' })).toBeUndefined();
  });
});

it('a peer is trusted by its address, in whichever form the socket tells it', () => {
  const isTrusted = peersIn(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8::1'])
    expect([address, isTrusted(address)]).toEqual([address, true]);
  for (const address of [undefined, '11.0.0.1', '::ffff:11.0.0.1', '192.0.2.8', '2001:db9::1', ''])
    expect([address, isTrusted(address)]).toEqual([address, false]);
});

it('without an SDK and without proxies nothing is done for a request', () => {
  expect(preloadedTracer('0')).toBeUndefined();
  expect(traceRequests(undefined, [])).toBeUndefined();
});
