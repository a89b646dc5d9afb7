// node --expose-gc --import …/tell-state.ts: tells over IPC what the process holds once everything that is over was collected.
import { readdirSync, readlinkSync } from 'node:fs';

import type { ProcessState } from './process-state.ts';

const openFiles = '/proc/self/fd';

function stateNow(): ProcessState {
  const { heapUsed, external, rss } = process.memoryUsage();
  const targets = readdirSync(openFiles).map(targetOf);
  return {
    heapBytes: heapUsed + external,
    residentBytes: rss,
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
    files: targets.length,
    handles: process.getActiveResourcesInfo().filter((resource) => resource !== 'Immediate').length,
  };
}

function targetOf(file: string): string {
  try {
    return readlinkSync(`${openFiles}/${file}`);
  } catch {
    // The folder's own file is closed by now.
    return '';
  }
}

process.on('message', (message) => {
  if (message !== 'collect') return;
  // What finalizers let go is gone with the second one.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  setTimeout(() => {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    process.send?.(stateNow());
  }, 50);
});
process.channel?.unref();
