import { drawPanels } from './picture/draw.ts';
import type { BenchPlan } from './plan.ts';
import { renderSection } from './section.ts';
import type { Section } from './section.ts';

export interface Run {
  readonly machine: readonly string[];
  readonly command: string;
  readonly plan: Pick<BenchPlan, 'rounds' | 'seconds' | 'otherSeconds' | 'warmUpSeconds'>;
}

/** bench/RESULTS.md: on what, how, the picture, and every section. */
export function renderResults({ machine, command, plan }: Run, sections: readonly Section[]): string {
  const date = new Date().toISOString().slice(0, 10);
  const facts = [...machine, `${date}, \`${command}\``].map((line) => `- ${line}\n`).join('');
  return `# Results of the bench

${facts}
Medians of ${plan.rounds} rounds in turn, ${plan.seconds} s of each contestant with the small call and ${plan.otherSeconds} s with everything else. Before it was measured for the first time each Node
process was under load for ${plan.warmUpSeconds} s (V8 compiles for about 20 s), and for ${Math.ceil(plan.warmUpSeconds / 4)} s more with each further kind of request.

${describeMarks(sections)}

![The figures below as bars](results.svg)

${sections.map(renderSection).join('\n')}`;
}

function describeMarks(sections: readonly Section[]): string {
  const lines = sections.flatMap((section) => section.lines);
  const reached = lines.filter((line) => line.endsWith(': reached')).length;
  const missed = sections.flatMap(({ title, lines: own }) =>
    own.filter((line) => line.endsWith(': missed')).map((line) => `\n- ${title}: ${line}`),
  );
  return `${reached} of ${reached + missed.length} marks were reached${missed.length > 0 ? `; not these:\n${missed.join('')}` : '.'}`;
}

/** bench/results.svg. */
export function drawResults(machine: readonly string[], sections: readonly Section[]): string {
  const panels = sections.flatMap((section) => section.panels);
  return drawPanels('What a request costs', machine[0] ?? '', panels);
}
