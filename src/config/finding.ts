import type { ConfigFault } from './faults.ts';
import type { Path } from './path.ts';
import { formatPath } from './path.ts';
import type { Positions } from './yaml/positions.ts';

/** A fault whose place in the file isn't looked up yet. */
export interface Finding {
  readonly path: Path;
  /** Whether the key or the value is shown; without it the value. */
  readonly at?: 'key' | 'value';
  readonly found: string;
  readonly expected: string;
  readonly hint?: string;
  /** Where the value comes from the environment. */
  readonly variable?: string;
  /** For a misspelt key: the one that was meant. */
  readonly meantKey?: string;
}

export function placeFinding(
  { path, at, meantKey: _meantKey, ...words }: Finding,
  positions: Positions,
): ConfigFault {
  if (words.variable !== undefined) return { path: formatPath(path), line: 0, column: 0, ...words };
  return {
    path: formatPath(path),
    ...(at === 'key' ? positions.ofKey(path) : positions.ofValue(path)),
    ...words,
  };
}
