import { clientConnectionsAllowed, openFilesAllowed } from '../../src/listener/open-files.ts';

/** Connections of the bench's own besides the silent streams: calls, events. */
const spareConnections = 18;

/** How many of the wanted streams one gateway takes on this machine, where each needs two open files. */
export function streamsAllowed(wanted: number): number {
  const openFiles = openFilesAllowed();
  if (openFiles === undefined) return wanted;
  return Math.min(wanted, clientConnectionsAllowed(openFiles) - spareConnections);
}
