import type { Mutant } from './mutate.ts';

/** How many mutants of a folder ended in which way; those after which nothing could be loaded are left out. */
export interface Figures {
  readonly killed: number;
  readonly survived: number;
  /** Noticed as well: a test waited in vain, or a loop never ended. */
  readonly timedOut: number;
  /** No test reaches them. */
  readonly uncovered: number;
}

export function countMutants(mutants: readonly Pick<Mutant, 'status'>[]): Figures {
  const count = (status: Mutant['status']): number =>
    mutants.filter((mutant) => mutant.status === status).length;
  return {
    killed: count('Killed'),
    survived: count('Survived'),
    timedOut: count('Timeout'),
    uncovered: count('NoCoverage'),
  };
}

/** Per cent of the mutants that were noticed; those that no test reaches count as survivors. */
export function scoreOf({ killed, survived, timedOut, uncovered }: Figures): number {
  const noticed = killed + timedOut;
  return (100 * noticed) / (noticed + survived + uncovered);
}

/** Of the table in SECURITY.md. */
export const head = `| Folder | Killed | Timed out | Survived | Not reached | Score |
| --- | --: | --: | --: | --: | --: |`;

/** A row of the table in SECURITY.md. */
export function rowOf(folder: string, figures: Figures): string {
  const { killed, survived, timedOut, uncovered } = figures;
  return `| \`${folder}\` | ${[killed, timedOut, survived, uncovered].join(' | ')} | ${scoreOf(figures).toFixed(1)} % |`;
}
