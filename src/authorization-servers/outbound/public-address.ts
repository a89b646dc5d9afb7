import ipaddr from 'ipaddr.js';

/** RFC 4291 §2.4, as IANA has assigned it so far: all of IPv6 that is routed between networks. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address belongs to the public internet and stands for nothing else: not private, shared, loopback,
 * link-local, multicast, documentation or reserved, and no IPv6 address that carries an IPv4 one in it
 * (mapped, compatible, NAT64, 6to4, Teredo), because those lead back inside. What can't be read isn't public.
 * Source: IANA's special-purpose registries (RFC 6890) as ipaddr.js lists them.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(globalUnicast);
}
