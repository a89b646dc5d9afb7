import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Listens on a free port of the loopback address and tells it to the bench in one line on stdout. Ends with the bench:
 * its stdin closes when the bench is gone. Exits by itself, so that `--cpu-prof` gets to write its file.
 */
export function serveUntilStopped(server: Server): void {
  server.listen(0, '127.0.0.1', () => announcePort(server));
  endWithBench();
}

export function announcePort(server: Server): void {
  process.stdout.write(`listening on port ${(server.address() as AddressInfo).port}\n`);
}

export function endWithBench(): void {
  process.on('SIGTERM', () => process.exit(0));
  process.stdin.on('end', () => process.exit(0)).resume();
}
