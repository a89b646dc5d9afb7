import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';

/** What a peer said of the trace that its request is part of. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** W3C Trace Context §3.2.2: version 00, trace, parent, flags; the trace and its parent aren't all zeros. */
const parentForm = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** W3C Trace Context §3.3.1.5: what must pass whole; a longer one is left out. */
const stateForm = /^[\x20-\x7e]{1,512}$/;

/**
 * The trace that the headers continue; undefined without one, and where `traceparent` is malformed or not alone (Node
 * joins the lines of one name). Doesn't look at who wrote them.
 */
export function receivedContext(headers: IncomingHttpHeaders): TraceContext | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string' || !parentForm.test(traceparent)) return undefined;
  return typeof tracestate === 'string' && stateForm.test(tracestate)
    ? { traceparent, tracestate }
    : { traceparent };
}

/** Whether an address is in one of the ranges (`listen.trustProxy`); an IPv4 address in IPv6 form counts as IPv4. */
export function peersIn(ranges: readonly string[]): (address: string | undefined) => boolean {
  const peers = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = familyOf(address);
    if (bits === undefined) peers.addAddress(address, family);
    else peers.addSubnet(address, Number(bits), family);
  }
  return (address) => address !== undefined && peers.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
