import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';

import { isPublicAddress } from './public-address.ts';

/** All addresses of a name, as `dns.lookup` gives them. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface ConnectorOptions {
  /** Hosts that the operator wrote; they may be anywhere. Lower case, IPv6 literals without brackets. */
  readonly writtenHosts: ReadonlySet<string>;
  /** PEM text of the certificate authorities, instead of the system's. */
  readonly ca?: string | undefined;
  readonly connectTimeoutMs: number;
  readonly lookup?: Lookup | undefined;
}

/** An address that a document of an authorization server leads to, and that nobody allowed. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/**
 * Opens connections to hosts that the operator wrote, and to public addresses of all others. Looked at here,
 * where the connection is made: a name can answer with another address at each lookup, so an earlier look
 * would prove nothing. It doesn't look at the scheme or the port.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const { writtenHosts, lookup = systemLookup } = options;
  const shared = {
    timeout: options.connectTimeoutMs,
    // Said here, because an environment variable can switch verification off for the whole process.
    rejectUnauthorized: true,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
  const open = buildConnector({ ...shared, lookup: answering(lookup, writtenHosts) });
  return (target, callback) => {
    const { hostname } = target;
    // A literal is never looked up, so it would pass by the guard.
    if (isIP(hostname) !== 0 && !writtenHosts.has(hostname) && !isPublicAddress(hostname))
      callback(refused(hostname, hostname), null);
    else open(target, callback);
  };
}

function answering(lookup: Lookup, writtenHosts: ReadonlySet<string>): LookupFunction {
  return (hostname, { all, family, hints }, callback) => {
    const asked = {
      all: true,
      ...(family === undefined ? {} : { family }),
      ...(hints === undefined ? {} : { hints }),
    };
    lookup(hostname, asked as LookupAllOptions, (error, addresses) => {
      // Node leaves the addresses out where there is an error, whatever the type says.
      const fault = error ?? faultOf(hostname, addresses, writtenHosts);
      const [first] = error === null ? addresses : [];
      if (fault !== undefined || first === undefined)
        callback(fault ?? new Error(`${hostname} has no address`), []);
      else if (all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** One address inside is enough: which of them gets the connection isn't ours to choose. */
function faultOf(
  hostname: string,
  addresses: readonly LookupAddress[],
  writtenHosts: ReadonlySet<string>,
): Error | undefined {
  if (writtenHosts.has(hostname)) return undefined;
  const inside = addresses.find(({ address }) => !isPublicAddress(address));
  return inside === undefined ? undefined : refused(hostname, inside.address);
}

function refused(hostname: string, address: string): AddressRefused {
  const found = hostname === address ? 'is' : `leads to ${address}, which is`;
  return new AddressRefused(
    `${hostname} ${found} no public address; where that is meant, list the host under allowHosts`,
  );
}
