/** A figure, and the side of a mark that it has to be on. */
export interface Marked {
  readonly title: string;
  readonly value: number;
  /** The same figure of each round, for its range; a single one has none. */
  readonly rounds: readonly number[];
  /** Absent: nothing is asked of it. */
  readonly mark?: number;
  readonly better: 'higher' | 'lower';
  /** With its space; empty for a ratio. */
  readonly unit: string;
}

/** One line: the figure, its range, the mark, and whether it was reached. */
export function renderMark({ title, value, rounds, mark, better, unit }: Marked): string {
  const range = `rounds ${Math.min(...rounds).toFixed(2)}–${Math.max(...rounds).toFixed(2)}`;
  const isReached = mark !== undefined && (better === 'higher' ? value >= mark : value <= mark);
  const wanted = mark === undefined ? [] : [`mark ${better === 'higher' ? '≥' : '≤'} ${mark}${unit}`];
  const parts = [...(rounds.length > 1 ? [range] : []), ...wanted];
  const verdict = mark === undefined ? '' : `: ${isReached ? 'reached' : 'missed'}`;
  return `${title}: ${value.toFixed(2)}${unit}${parts.length > 0 ? ` (${parts.join('; ')})` : ''}${verdict}`;
}
