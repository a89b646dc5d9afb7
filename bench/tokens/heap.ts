import { runTool } from '../load/run-tool.ts';
import { renderMark } from '../mark.ts';
import { benchFile } from '../node-process.ts';
import type { HeapFigures } from './heap-child.ts';

const markMebibytes = 64;
const limitMillis = 300_000;

/** What the memory of good tokens keeps at the most, in a process of its own that can be told to collect garbage. */
export async function measureHeap(count: number): Promise<string> {
  const args = ['--expose-gc', benchFile('tokens/heap-child.ts'), String(count)];
  const { tokens, keptBytes } = JSON.parse(await runTool(process.execPath, args, limitMillis)) as HeapFigures;
  const mebibytes = keptBytes / 2 ** 20;
  return renderMark({
    title: `heap above the start after ${tokens} distinct tokens`,
    value: mebibytes,
    rounds: [mebibytes],
    mark: markMebibytes,
    better: 'lower',
    unit: ' MiB',
  });
}
