import { Pool } from 'undici';

import { callHeaders, toolsCall } from '../call.ts';
import type { Callee } from './world.ts';

export interface Latencies {
  readonly p50Millis: number;
  readonly p99Millis: number;
}

/** The same small call to each in turn, so that whatever else runs on the machine strikes all alike. */
export async function callInTurn(
  callees: readonly Callee[],
  plan: { readonly warmUp: number; readonly calls: number },
): Promise<readonly Latencies[]> {
  const callers = callees.map((callee) => ({ ask: caller(callee), millis: [] as number[] }));
  for (let call = 0; call < plan.warmUp + plan.calls; call += 1) {
    for (const { ask, millis } of callers) {
      const startedAt = performance.now();
      await ask.call();
      if (call >= plan.warmUp) millis.push(performance.now() - startedAt);
    }
  }
  await Promise.all(callers.map(({ ask }) => ask.close()));
  return callers.map(({ millis }) => ({
    p50Millis: percentile(millis, 50),
    p99Millis: percentile(millis, 99),
  }));
}

function caller({ url, token }: Callee): { call: () => Promise<void>; close: () => Promise<void> } {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 1 });
  const headers = { ...callHeaders, Authorization: `Bearer ${token}` };
  return {
    async call() {
      const { statusCode, body } = await pool.request({
        path: pathname,
        method: 'POST',
        headers,
        body: toolsCall,
      });
      await body.dump();
      if (statusCode !== 200) throw new Error(`a call was answered ${statusCode}`);
    },
    close: () => pool.close(),
  };
}

/** The smallest value that so many percent don't exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN;
}
