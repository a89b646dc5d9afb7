import type { Panel } from './picture/panel.ts';

/** What one part of the bench has to say. */
export interface Section {
  /** The name that `--only` knows it by. */
  readonly part: string;
  readonly title: string;
  readonly notes: readonly string[];
  readonly table: string;
  /** Figures, with their marks where they have one. */
  readonly lines: readonly string[];
  readonly panels: readonly Panel[];
  /** What a later run can be held to. */
  readonly ratios: readonly SteadyRatio[];
  /** What else ran on the machine meanwhile, in percent of all its CPU time; 0 where that is no matter. */
  readonly othersPercent: number;
}

/** Best of the rounds over best of the rounds, lower is better: what disturbs a machine only ever adds. */
export interface SteadyRatio {
  readonly name: string;
  readonly value: number;
}

export function renderSection({ title, notes, table, lines }: Section): string {
  const figures = lines.map((line) => `- ${line}`);
  const paragraphs = [notes.join('\n'), table, figures.join('\n')].filter((text) => text !== '');
  return `## ${title}\n\n${paragraphs.join('\n\n')}\n`;
}
