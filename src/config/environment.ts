import { quote } from './describe.ts';
import type { Finding } from './finding.ts';

/** What the environment says of the listeners; it wins over the file. */
export interface Listening {
  readonly listen: { readonly host?: string; readonly port?: number };
  readonly ops: { readonly host?: string; readonly port?: number };
}

/** HOST, PORT, OPS_HOST and OPS_PORT. An empty variable counts as unset: Compose files and unit files make such. */
export function readListening(
  environment: Readonly<Record<string, string | undefined>>,
): Listening & { readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const listener = (hostName: string, portName: string): { host?: string; port?: number } => {
    const host = environment[hostName]?.trim() ?? '';
    const portText = environment[portName]?.trim() ?? '';
    const isPort = /^[0-9]{1,5}$/.test(portText) && Number(portText) <= 65_535;
    if (portText !== '' && !isPort) findings.push(badPort(portName, portText));
    if (host !== '' && !/^[A-Za-z0-9.:_%-]+$/.test(host)) {
      findings.push({
        path: [],
        variable: hostName,
        found: quote(host),
        expected: 'an address or host name',
      });
    }
    return { ...(host === '' ? {} : { host }), ...(isPort ? { port: Number(portText) } : {}) };
  };
  return { listen: listener('HOST', 'PORT'), ops: listener('OPS_HOST', 'OPS_PORT'), findings };
}

function badPort(name: string, text: string): Finding {
  // Kubernetes sets OPS_PORT=tcp://… in every pod beside a Service called ops.
  const hint = text.startsWith('tcp://')
    ? 'Kubernetes sets it for a Service of that name: set enableServiceLinks: false in the pod'
    : undefined;
  return {
    path: [],
    variable: name,
    found: quote(text),
    expected: 'a port from 0 to 65535',
    ...(hint === undefined ? {} : { hint }),
  };
}
