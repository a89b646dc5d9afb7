import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startUpstream } from './contestants/contestant.ts';
import type { Ground } from './contestants/contestant.ts';
import type { CpuSource } from './cpu.ts';

/** Runs the work on a fresh upstream and a temporary folder; both are gone afterwards, also when the work fails. */
export async function onGround<T>(cpuSource: CpuSource, work: (ground: Ground) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const clear = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clear);
  const exit = (): never => process.exit(130);
  process.once('SIGINT', exit).once('SIGTERM', exit);
  try {
    const upstream = await startUpstream(cpuSource);
    try {
      return await work({
        upstream: upstream.process,
        upstreamUrl: upstream.url,
        folder,
        cpuSource,
        nodeArgs: [],
      });
    } finally {
      await upstream.process.stop(5000);
    }
  } finally {
    clear();
    process.off('exit', clear).off('SIGINT', exit).off('SIGTERM', exit);
  }
}
