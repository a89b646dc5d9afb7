import ipaddr from 'ipaddr.js';

/** Of an IPv6 address these are the site's; the rest a peer chooses as it likes (RFC 4291 §2.5.4). */
const siteBits = 64;

/** Some proxies write the port as well. */
const withPort = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/;

/**
 * What an address is counted by: an IPv4 address in any spelling by itself, an IPv6 address by its /64. What a proxy
 * wrote that isn't an address is counted together, however many spellings there are. Undefined: the peer is gone.
 */
export function addressKey(address: string | undefined): string {
  if (address === undefined || address.length > maximumLength) return unknown;
  const text = withPort.exec(address)?.[1] ?? address;
  if (!ipaddr.isValid(text)) return unknown;
  const parsed = ipaddr.process(text);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  return `${parsed.parts
    .slice(0, siteBits / 16)
    .map((part) => part.toString(16))
    .join(':')}::/${siteBits}`;
}

const unknown = 'unknown';

/** An IPv6 address that holds an IPv4 one, with a zone. */
const maximumLength = 64;
