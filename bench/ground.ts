import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startUpstream } from './contestants/contestant.ts';
import type { Ground } from './contestants/contestant.ts';
import type { CpuSource } from './cpu.ts';
import { startIssuer } from './issuer.ts';
import { benchFile } from './node-process.ts';

/** What the image runs. */
export const builtProgram = benchFile('../bundle/main.js');

/** Runs the work on a fresh upstream, an authorization server and a temporary folder; all are gone afterwards, also when the work fails. */
export async function onGround<T>(cpuSource: CpuSource, work: (ground: Ground) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const clear = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clear);
  const exit = (): never => process.exit(130);
  process.once('SIGINT', exit).once('SIGTERM', exit);
  await using parts = new AsyncDisposableStack();
  parts.defer(() => {
    clear();
    process.off('exit', clear).off('SIGINT', exit).off('SIGTERM', exit);
  });
  const upstream = await startUpstream(cpuSource);
  parts.defer(() => upstream.process.stop(5000));
  const issuer = await startIssuer();
  parts.defer(() => issuer.close());
  return await work({
    upstream: upstream.process,
    upstreamUrl: upstream.url,
    issuer,
    folder,
    cpuSource,
    program: builtProgram,
    nodeArgs: [],
  });
}
