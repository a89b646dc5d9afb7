import { findAutocannon } from './autocannon.ts';
import type { Load } from './load.ts';
import { findWrk } from './wrk.ts';

/** wrk when it is on PATH, because it takes the least CPU; else autocannon, which npm installed. */
export function findLoad(wanted: string | undefined): Load {
  const load = wanted === 'autocannon' ? undefined : findWrk();
  if (wanted === 'wrk' && load === undefined) throw new Error('wrk is not on PATH');
  return load ?? findAutocannon();
}
