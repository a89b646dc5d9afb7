import { hash, timingSafeEqual } from 'node:crypto';

import { loginPath } from './login-links.ts';
import type { Place } from './place.ts';

/** How a browser came back. */
export interface Return {
  /** Of the request, as it was sent. */
  readonly path: string;
  readonly parameters: URLSearchParams;
}

/**
 * Where browsers come back to from the server that knows the person. Each server has an address of its own, as each
 * upstream has: one that sends the browser on to another server's login gets that one's code there, and not here, where it
 * would be sent to the wrong one (RFC 9700 §4.4.2). Few servers say in the answer who they are (RFC 9207).
 */
export function identityPath({ prover: { server } }: Pick<Place, 'prover'>): string {
  return `${loginPath}/identity/${segmentOf(server.name)}`;
}

/** Where browsers come back to from the server of the upstream. Without a list of servers each tenant has its own. */
export function callbackPath({ route, settings }: Pick<Place, 'route' | 'settings'>): string {
  const { name, tenant } = route;
  const ofAll = `${loginPath}/callback/${segmentOf(name)}`;
  return tenant === undefined || settings.authorizationServers.length > 0 ? ofAll : `${ofAll}/${tenant.name}`;
}

/** What neither browsers nor proxies write in another way, nor take for a folder. */
const plain = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** One for each name: plain names have no `~`. */
function segmentOf(name: string): string {
  if (plain.test(name)) return name;
  const readable = name.replaceAll(/[^A-Za-z0-9]+/g, '-').replaceAll(/^-|-$/g, '');
  return `${readable}~${hash('sha256', name, 'hex').slice(0, 16)}`;
}

/** Whether it is the way back of this login: to its address, with its state once. */
export function isBackFrom(
  expected: { readonly path: string; readonly state: string },
  { path, parameters }: Return,
): boolean {
  const states = parameters.getAll('state');
  return path === expected.path && states.length === 1 && isSame(states[0] ?? '', expected.state);
}

/** Takes as long for every wrong text of a length. */
export function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
