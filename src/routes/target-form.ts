import type { Refusal } from '../vocabulary/refusal.ts';

/** Stands for a target that the router couldn't read, so that the stages see and audit such a request too. */
export const unroutable = '/.unroutable';

/**
 * RFC 9112 §3.2.1: only the origin form is served. An absolute target names a host of its own, and its routing
 * must not differ from what `Host` says. Broken percent-encoding has no one reading.
 */
export function isRoutable(target: string): boolean {
  if (!target.startsWith('/')) return false;
  if (!target.includes('%')) return true;
  try {
    decodeURIComponent(target.split(/[?#]/, 1)[0] ?? '');
    return true;
  } catch {
    return false;
  }
}

export function checkTarget(target: string): Refusal | undefined {
  return target === unroutable ? { kind: 'request-malformed', reason: 'target_form' } : undefined;
}

/** Whether the path of a target is this route's own spelling, or that with one slash more. */
export function isRoutePath(target: string, path: string): boolean {
  if (target === path) return true;
  const end = target.indexOf('?');
  const asked = end === -1 ? target : target.slice(0, end);
  return asked === path || asked === `${path === '/' ? '' : path}/`;
}
