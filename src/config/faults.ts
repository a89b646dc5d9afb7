/** One mistake of the operator's, with the place in the file and what stands there instead of what. */
export interface ConfigFault {
  /** Such as `routes[0].upstream.url`; empty where the fault is the file's as a whole. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly found: string;
  readonly expected: string;
  /** What the operator most likely wants. */
  readonly hint?: string;
}

/** Faults as lines for a terminal: `config.yaml:12:5  key: found …, expected …`, and the hint below. */
export function formatFaults(file: string, faults: readonly ConfigFault[]): string {
  return sortFaults(faults)
    .map((fault) => formatFault(file, fault))
    .join('');
}

/** In the order of the file; what is told twice of one place is told once. */
export function sortFaults(faults: readonly ConfigFault[]): readonly ConfigFault[] {
  const byText = new Map(
    faults.map((fault) => [JSON.stringify([fault.line, fault.path, fault.found]), fault]),
  );
  return [...byText.values()].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function formatFault(file: string, { path, line, column, found, expected, hint }: ConfigFault): string {
  const subject = path === '' ? '' : `${path}: `;
  const below = hint === undefined ? '' : `    ${hint}\n`;
  return `${file}:${line}:${column}  ${subject}found ${found}, expected ${expected}\n${below}`;
}
