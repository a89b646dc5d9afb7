// node --expose-gc --import …/tell-state.ts: tells over IPC what the process holds, after garbage collection where asked.
import { existsSync, readdirSync, readlinkSync } from 'node:fs';

import type { GatewayState } from './state.ts';

const openFiles = '/proc/self/fd';

function stateNow(): GatewayState {
  return {
    residentBytes: process.memoryUsage.rss(),
    sockets: countSockets(),
    timers: process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length,
  };
}

/** Node itself counts only those that keep the process alive. */
function countSockets(): number {
  if (!existsSync(openFiles))
    return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
  return readdirSync(openFiles).filter(isSocket).length;
}

function isSocket(file: string): boolean {
  try {
    return readlinkSync(`${openFiles}/${file}`).startsWith('socket:');
  } catch {
    // The folder's own file is closed by now.
    return false;
  }
}

process.on('message', (message) => {
  // The last resort gives back the pages that a crowd of young objects took, too.
  if (message === 'collect') globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  if (message === 'collect' || message === 'state?') process.send?.(stateNow());
  if (message === 'rss?') process.send?.(process.memoryUsage.rss());
});
process.channel?.unref();
