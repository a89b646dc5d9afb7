import { jwtVerify } from 'jose';

import { connections } from '../load/load.ts';
import { renderMark } from '../mark.ts';
import { median } from '../median.ts';
import type { SteadyRatio } from '../section.ts';
import { renderColumns } from '../table.ts';
import { audience, createVerifier, issuer } from './verifier.ts';
import type { Verifier } from './verifier.ts';

const algorithms = ['RS256', 'ES256', 'EdDSA'] as const;
const markRatio = 1.5;

export interface ColdPlan {
  /** Distinct tokens of each algorithm. */
  readonly tokens: number;
  /** How often each side verifies them all before it is measured: until the compiler is done. */
  readonly warmUpPasses: number;
  /** How often each side verifies them all while it is measured. */
  readonly passes: number;
}

export interface ColdReport {
  readonly table: string;
  readonly marks: readonly string[];
  readonly ratios: readonly SteadyRatio[];
}

interface ColdFigures {
  readonly alg: string;
  /** CPU per token in microseconds, all threads, pass by pass. */
  readonly gateway: readonly number[];
  readonly jose: readonly number[];
}

/** What the first sight of a token costs, next to jose alone with the same key and the same claims to check. */
export async function measureColdVerification(plan: ColdPlan): Promise<ColdReport> {
  const figures: ColdFigures[] = [];
  for (const alg of algorithms) figures.push(await measureAlgorithm(await createVerifier(alg), plan));
  const rows = figures.map(({ alg, gateway, jose }) => [
    alg,
    median(gateway).toFixed(1),
    median(jose).toFixed(1),
  ]);
  return {
    table: renderColumns(['first sight of a token', 'gateway CPU µs', 'jose CPU µs'], rows),
    marks: figures.map(renderRatio),
    ratios: figures.map(({ alg, gateway, jose }) => ({
      name: `tokens: ${alg}, gateway/jose CPU`,
      value: Math.min(...gateway) / Math.min(...jose),
    })),
  };
}

function renderRatio({ alg, gateway, jose }: ColdFigures): string {
  return renderMark({
    title: `${alg}, cold verification over jose alone`,
    value: median(gateway) / median(jose),
    rounds: gateway.map((micros, index) => micros / (jose[index] ?? Number.NaN)),
    mark: markRatio,
    better: 'lower',
    unit: '',
  });
}

async function measureAlgorithm(
  verifier: Verifier,
  { tokens: count, warmUpPasses, passes }: ColdPlan,
): Promise<ColdFigures> {
  const tokens = await Promise.all(Array.from({ length: count }, () => verifier.mint()));
  const peers = Array.from({ length: connections }, () => ({}));
  const byGateway = (): Promise<number> => {
    verifier.forget();
    return timePass(tokens, (token, index) => verifier.verify(token, peers[index % peers.length] ?? {}));
  };
  const options = {
    issuer,
    audience,
    typ: 'at+jwt',
    algorithms: [verifier.alg],
    requiredClaims: ['sub', 'exp'],
  };
  const byJose = (): Promise<number> =>
    timePass(tokens, (token) => jwtVerify(token, verifier.publicKey, options));
  const gateway: number[] = [];
  const jose: number[] = [];
  // Each goes first in turn, so that a noisy machine is noisy for both.
  for (let pass = -warmUpPasses; pass < passes; pass += 1) {
    const sides = [
      { run: byGateway, figures: gateway },
      { run: byJose, figures: jose },
    ];
    for (const { run, figures } of pass % 2 === 0 ? sides : sides.toReversed()) {
      const micros = await run();
      if (pass >= 0) figures.push(micros);
    }
  }
  verifier.close();
  return { alg: verifier.alg, gateway, jose };
}

/** CPU of the whole process: jose verifies in Node's thread pool. */
async function timePass(
  tokens: readonly string[],
  verify: (token: string, index: number) => Promise<unknown>,
): Promise<number> {
  const before = process.cpuUsage();
  for (const [index, token] of tokens.entries()) await verify(token, index);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / tokens.length;
}
