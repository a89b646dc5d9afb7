import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startGatewayWith } from './contestants/gateway.ts';
import type { GatewayContestant } from './contestants/gateway.ts';
import { renderMark } from './mark.ts';
import { measureSlice } from './measure.ts';
import type { Field } from './measure.ts';
import { median } from './median.ts';
import type { Ground } from './contestants/contestant.ts';
import type { RacePlan } from './race.ts';
import type { Section } from './section.ts';
import { openClients } from './sessions/clients.ts';
import type { Clients } from './sessions/clients.ts';
import { renderColumns } from './table.ts';

const sessionCount = 1000;
const [within, without] = ['in a session', 'without a session'] as const;

interface Figures {
  /** Calls/s and CPU per call of both replicas together, round by round. */
  readonly callsPerSecond: number[];
  readonly cpuMicros: number[];
}

/** Two replicas with one key: sessions that one of them opened, called over both in turn. */
export async function measureSessions(field: Field, plan: RacePlan): Promise<Section> {
  await using parts = new AsyncDisposableStack();
  const replicas = await startReplicas(field.ground, parts);
  for (const replica of replicas) await measureSlice(field, replica, plan.warmUpSeconds);
  const clients = openClients(replicas);
  parts.defer(() => clients.close());
  await clients.begin(sessionCount);
  const figures = { [within]: noFigures(), [without]: noFigures() };
  let errors = 0;
  for (let round = 0; round <= plan.rounds; round += 1) {
    for (const kind of [within, without]) {
      const result = await callBoth(clients, replicas, { kind, seconds: plan.seconds });
      errors += result.errors;
      // The first round warms up the load program itself.
      if (round === 0) continue;
      figures[kind].callsPerSecond.push(result.callsPerSecond);
      figures[kind].cpuMicros.push(result.cpuMicros);
      plan.tell(
        `round ${round}, ${kind}: ${result.callsPerSecond.toFixed(0)} calls/s, ${result.cpuMicros.toFixed(1)} µs CPU`,
      );
    }
  }
  return describe(figures, errors);
}

async function startReplicas(
  ground: Ground,
  parts: AsyncDisposableStack,
): Promise<readonly GatewayContestant[]> {
  const keyFile = join(ground.folder, 'sessions.key');
  writeFileSync(keyFile, randomBytes(32).toString('base64url'));
  const top = [`sessions: { key: { file: ${JSON.stringify(keyFile)} } }`];
  const first = await startGatewayWith(ground, { top });
  parts.defer(() => first.stop());
  const second = await startGatewayWith(ground, { top, publicUrl: first.publicUrl });
  parts.defer(() => second.stop());
  return [first, second];
}

interface CallPlan {
  readonly kind: typeof within | typeof without;
  readonly seconds: number;
}

async function callBoth(
  clients: Clients,
  replicas: readonly GatewayContestant[],
  { kind, seconds }: CallPlan,
): Promise<{ readonly callsPerSecond: number; readonly cpuMicros: number; readonly errors: number }> {
  const readCpu = async (): Promise<number> => {
    const micros = await Promise.all(replicas.map(({ process }) => process.cpuMicros()));
    return micros.reduce((sum, value) => sum + value, 0);
  };
  const [began, before] = [performance.now(), await readCpu()];
  const { answered, errors } = await clients.call(kind === within ? 'in turn' : 'none', seconds);
  const after = await readCpu();
  return {
    callsPerSecond: answered / ((performance.now() - began) / 1000),
    cpuMicros: (after - before) / answered,
    errors,
  };
}

function noFigures(): Figures {
  return { callsPerSecond: [], cpuMicros: [] };
}

function describe(
  figures: Readonly<Record<typeof within | typeof without, Figures>>,
  errors: number,
): Section {
  const rows = [within, without].map((kind) => [
    kind,
    median(figures[kind].callsPerSecond).toFixed(0),
    median(figures[kind].cpuMicros).toFixed(1),
  ]);
  const [own, over] = [figures[within].cpuMicros, figures[without].cpuMicros];
  return {
    part: 'sessions',
    title: 'Sessions over two replicas',
    notes: [
      `${sessionCount} sessions that two gateways with one key opened, and small calls to both in turn: each session at each of them. The load program is this Node process, which is slower than wrk: look at the CPU of both gateways per call.`,
    ],
    table: renderColumns(['call', 'calls/s', 'CPU µs/call'], rows),
    lines: [
      renderMark({
        title: 'CPU of a call in a session, over one without',
        value: median(own) / median(over),
        rounds: own.map((micros, index) => micros / (over[index] ?? Number.NaN)),
        better: 'lower',
        unit: '',
      }),
      renderMark({
        title: 'calls that were not answered as they had to be',
        value: errors,
        rounds: [errors],
        mark: 0,
        better: 'lower',
        unit: '',
      }),
    ],
    panels: [],
    ratios: [],
    othersPercent: 0,
  };
}
