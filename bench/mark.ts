/** A figure that has to be on one side of a mark. */
export interface Marked {
  readonly title: string;
  readonly value: number;
  /** The same figure of each round, for its range; a single one has none. */
  readonly rounds: readonly number[];
  readonly mark: number;
  readonly better: 'higher' | 'lower';
  /** With its space; empty for a ratio. */
  readonly unit: string;
}

/** One line: the figure, its range, the mark, and whether it was reached. */
export function renderMark({ title, value, rounds, mark, better, unit }: Marked): string {
  const range = `rounds ${Math.min(...rounds).toFixed(2)}–${Math.max(...rounds).toFixed(2)}; `;
  const isReached = better === 'higher' ? value >= mark : value <= mark;
  const sign = better === 'higher' ? '≥' : '≤';
  return `${title}: ${value.toFixed(2)}${unit} (${rounds.length > 1 ? range : ''}mark ${sign} ${mark}${unit}): ${isReached ? 'reached' : 'missed'}`;
}
