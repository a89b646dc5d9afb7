// node --expose-gc bench/tokens/heap-child.ts COUNT: how much does the heap keep of so many distinct tokens?
import { connections } from '../load/load.ts';
import { createVerifier } from './verifier.ts';
import type { Verifier } from './verifier.ts';

export interface HeapFigures {
  readonly tokens: number;
  readonly keptBytes: number;
}

const batch = 500;

async function present(verifier: Verifier, peers: readonly object[]): Promise<void> {
  const tokens = await Promise.all(Array.from({ length: batch }, () => verifier.mint()));
  for (const [index, token] of tokens.entries()) {
    const peer = peers[index % peers.length] ?? {};
    await verifier.verify(token, peer);
    // The second time it is remembered, and so is the connection that it came over.
    await verifier.verify(token, peer);
  }
}

function keptBytes(): number {
  if (globalThis.gc === undefined) throw new Error('node needs --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function measureHeap(count: number): Promise<HeapFigures> {
  const verifier = await createVerifier('EdDSA');
  // Connections stay open meanwhile, each with the token that it presented last.
  const peers = Array.from({ length: connections }, () => ({}));
  // Compiled code isn't kept tokens.
  await present(verifier, peers);
  verifier.forget();
  const before = keptBytes();
  for (let done = 0; done < count; done += batch) await present(verifier, peers);
  const after = keptBytes();
  // What it remembers is alive until here.
  verifier.close();
  return { tokens: count, keptBytes: after - before };
}

process.stdout.write(`${JSON.stringify(await measureHeap(Number(process.argv[2])))}\n`);
