/** One mistake of the operator's, with the place in the file or the variable, and what stands there instead of what. */
export interface ConfigFault {
  /** Such as `routes[0].upstream.url`; empty where the fault is the file's as a whole. */
  readonly path: string;
  /** From 1; 0 where a variable is at fault, or what was read has no lines. */
  readonly line: number;
  /** As `line`. */
  readonly column: number;
  /** The environment variable, where the mistake isn't in the file. */
  readonly variable?: string;
  readonly found: string;
  readonly expected: string;
  /** What the operator most likely wants. */
  readonly hint?: string;
}

/**
 * Faults as lines for a terminal: `config.yaml:12:5  key: found …, expected …`, or `VARIABLE  key: found …`, and the
 * hint below. Without a file the rest is the environment's as a whole.
 */
export function formatFaults(file: string | undefined, faults: readonly ConfigFault[]): string {
  return sortFaults(faults)
    .map((fault) => formatFault(file, fault))
    .join('');
}

/** In the order of the file; what is told twice of one place is told once. */
export function sortFaults(faults: readonly ConfigFault[]): readonly ConfigFault[] {
  const byText = new Map(
    faults.map((fault) => [JSON.stringify([fault.variable, fault.line, fault.path, fault.found]), fault]),
  );
  return [...byText.values()].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function placeIn(file: string | undefined, line: number, column: number): string {
  if (file === undefined) return 'environment';
  return line === 0 ? file : `${file}:${line}:${column}`;
}

function formatFault(
  file: string | undefined,
  { path, line, column, variable, found, expected, hint }: ConfigFault,
): string {
  const place = variable ?? placeIn(file, line, column);
  const subject = path === '' ? '' : `${path}: `;
  const below = hint === undefined ? '' : `    ${hint}\n`;
  return `${place}  ${subject}found ${found}, expected ${expected}\n${below}`;
}
