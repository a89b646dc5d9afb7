import { setTimeout } from 'node:timers/promises';

import type { Ground } from './contestants/contestant.ts';
import { startGatewayWith } from './contestants/gateway.ts';
import { renderMark } from './mark.ts';
import { median } from './median.ts';
import type { Section } from './section.ts';
import { renderColumns } from './table.ts';

export interface StartPlan {
  readonly starts: number;
  readonly tell: (line: string) => void;
}

interface Start {
  readonly readyMillis: number;
  readonly residentMegabytes: number;
}

/** What a start has done for good is done, and nothing else happens. */
const idleMillis = 2000;

/** How long a gateway takes from the start of its process until it is ready, and what it holds while nobody asks. */
export async function measureStarts(ground: Ground, plan: StartPlan): Promise<Section> {
  const starts: Start[] = [];
  for (let round = 1; round <= plan.starts; round += 1) {
    plan.tell(`start ${round} of ${plan.starts}`);
    starts.push(await measureStart(ground));
  }
  const ready = starts.map(({ readyMillis }) => readyMillis);
  const resident = starts.map(({ residentMegabytes }) => residentMegabytes);
  return {
    part: 'start',
    title: 'Start',
    notes: [
      `${plan.starts} processes one after another, each with one authorization server on loopback and one route.`,
    ],
    table: renderColumns(
      ['start', 'ready after ms', 'idle RSS MB'],
      starts.map(({ readyMillis, residentMegabytes }, index) => [
        String(index + 1),
        readyMillis.toFixed(0),
        residentMegabytes.toFixed(1),
      ]),
    ),
    lines: [
      renderMark({
        title: 'start to ready',
        value: median(ready),
        rounds: ready,
        mark: 700,
        better: 'lower',
        unit: ' ms',
      }),
      renderMark({
        title: 'RSS of an idle process',
        value: median(resident),
        rounds: resident,
        mark: 110,
        better: 'lower',
        unit: ' MB',
      }),
    ],
    panels: [],
    ratios: [],
    othersPercent: 0,
  };
}

async function measureStart(ground: Ground): Promise<Start> {
  const gateway = await startGatewayWith(ground, {});
  try {
    await setTimeout(idleMillis);
    const metrics = await fetch(`${gateway.opsUrl}/metrics`).then((answer) => answer.text());
    const bytes = Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]);
    return { readyMillis: gateway.readyMillis, residentMegabytes: bytes / 1e6 };
  } finally {
    await gateway.stop();
  }
}
