import { Pool } from 'undici';

import { callHeaders, toolsCall } from '../call.ts';
import { startGatewayWith } from '../contestants/gateway.ts';
import type { GatewayContestant } from '../contestants/gateway.ts';
import { connections } from '../load/load.ts';
import { renderMark } from '../mark.ts';
import { measureSlice } from '../measure.ts';
import type { Field, Round } from '../measure.ts';

const cooldownSeconds = 2;

export interface FloodPlan {
  readonly seconds: number;
  readonly tell: (line: string) => void;
}

/**
 * Invented key names without pause, while the load generator keeps the gateway busy with good calls, each of which has
 * to be answered. How often is the authorization server asked for its keys?
 */
export async function measureUnknownKids(field: Field, { seconds, tell }: FloodPlan): Promise<string> {
  const gateway = await startGatewayWith(field.ground, { keys: `{ cooldown: ${cooldownSeconds}s }` });
  try {
    const fetchesBefore = gateway.issuer.keyFetches();
    const start = performance.now();
    const flood = startFlood(gateway);
    // The log has the flood's lines too, so that only the calls are looked at.
    const calls = { ...gateway, checkRound: async () => {} };
    let good: Round;
    try {
      good = await measureSlice(field, calls, seconds);
    } finally {
      await flood.stop();
    }
    const elapsedSeconds = (performance.now() - start) / 1000;
    const fetches = gateway.issuer.keyFetches() - fetchesBefore;
    tell(
      `flood: ${describe(flood.statuses)} while ${good.requestsPerSecond.toFixed(0)} good calls/s were answered; ${fetches} key fetches in ${elapsedSeconds.toFixed(1)} s`,
    );
    const cooldowns = Math.floor(elapsedSeconds / cooldownSeconds) + 1;
    return renderMark({
      title: 'key fetches per cool-down under a flood of unknown kids',
      value: fetches / cooldowns,
      rounds: [fetches / cooldowns],
      mark: 1,
      better: 'lower',
      unit: '',
    });
  } finally {
    await gateway.stop();
  }
}

interface Flood {
  /** How often each status came so far. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly stop: () => Promise<void>;
}

function startFlood({ url, issuer }: GatewayContestant): Flood {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections });
  const statuses = new Map<number, number>();
  const end = new AbortController();
  let sent = 0;
  const ask = async (): Promise<void> => {
    while (!end.signal.aborted) {
      sent += 1;
      const headers = { ...callHeaders, Authorization: `Bearer ${inventToken(issuer.issuer, sent)}` };
      const { statusCode, body } = await pool.request({
        path: pathname,
        method: 'POST',
        headers,
        body: toolsCall,
      });
      await body.dump();
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    }
  };
  const asking = Promise.all(Array.from({ length: connections }, ask));
  return {
    statuses,
    async stop() {
      end.abort();
      await asking;
      await pool.close();
    },
  };
}

/** Of the trusted issuer and in good form; no key has this name. */
function inventToken(iss: string, number: number): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { alg: 'RS256', typ: 'at+jwt', kid: `invented-${number}` };
  return `${encode(header)}.${encode({ iss, sub: 'nobody' })}.${'A'.repeat(342)}`;
}

function describe(statuses: ReadonlyMap<number, number>): string {
  return [...statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
}
