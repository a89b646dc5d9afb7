/** Where this process connected to, held against what its configurations name. */
import { subscribe } from 'node:diagnostics_channel';

/** One list for the process: gateways of one test file share their worker, and a connection doesn't say whose it is. */
const configuredPorts = new Set<string>();
const strangers: string[] = [];

interface Connected {
  readonly connectParams: {
    readonly hostname: string;
    readonly port: string | number;
    readonly protocol: string;
  };
}

subscribe('undici:client:connected', (message) => {
  const { hostname, port, protocol } = (message as Connected).connectParams;
  const number = String(port === '' ? (protocol === 'https:' ? 443 : 80) : port);
  const isLoopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(hostname);
  if (!isLoopback || !configuredPorts.has(number)) strangers.push(`${protocol}//${hostname}:${number}`);
});

/** Every address in this text may be connected to from now on. */
export function allowConfigured(yaml: string): void {
  for (const [, port = ''] of yaml.matchAll(/:\s*(\d{2,5})\b/g)) configuredPorts.add(port);
}

/** Connections that stood although no configuration names where they went; a test's own through `fetch` count as well. */
export function strangersReached(): readonly string[] {
  return strangers;
}
