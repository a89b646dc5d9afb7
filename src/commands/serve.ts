import { createGateway } from '../gateway.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';
import { auditFault, openOutputs } from './outputs.ts';
import { readConfiguration } from './read-configuration.ts';

/** Runs the gateway until a signal ends it; answers the exit code. Without a file the environment configures it. */
export async function serve(file: string | undefined, io: CommandIo): Promise<number> {
  const configuration = readConfiguration(file, io);
  if (typeof configuration === 'number') return configuration;
  const { audit } = configuration.log;
  const unwritable = auditFault(audit);
  if (unwritable !== undefined) {
    io.err(`${file ?? 'environment'}: ${unwritable}\n`);
    return exitCode.configuration;
  }
  const outputs = openOutputs(audit);
  // At a terminal it means that the person has left.
  if (!process.stdout.isTTY) process.on('SIGHUP', () => outputs.reopen());
  const gateway = createGateway(configuration, outputs);
  const crash = (error: unknown): void => {
    outputs.logSink.write(
      `${JSON.stringify({ level: 'fatal', time: new Date().toISOString(), msg: 'defect: the gateway ends', err: String(error instanceof Error ? error.stack : error) })}\n`,
    );
    outputs.flush();
    process.exit(exitCode.defect);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  try {
    await gateway.start();
  } catch (error) {
    await gateway.close();
    outputs.flush();
    io.err(`${describeStartFailure(error)}\n`);
    return exitCode.defect;
  }
  await stopSignal();
  await gateway.close();
  outputs.flush();
  return exitCode.ok;
}

/** Ends with the first signal; a second one ends the process at once. */
async function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let stopping = false;
  const onSignal = (): void => {
    if (stopping) process.exit(exitCode.defect);
    stopping = true;
    resolve();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  await promise;
}

function describeStartFailure(error: unknown): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (code === 'EADDRINUSE')
    return `port ${port} is taken: set listen.port or ops.port (or PORT, OPS_PORT) to a free one`;
  if (code === 'EACCES') return `port ${port} needs privileges that this process doesn't have`;
  return `the gateway can't start: ${message}`;
}
