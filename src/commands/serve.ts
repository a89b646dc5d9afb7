import { createGateway } from '../gateway.ts';
import type { Gateway } from '../gateway.ts';
import type { ConfigurationReading } from './configuration-source.ts';
import { ConfigurationSource } from './configuration-source.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';
import type { Outputs } from './outputs.ts';
import { auditFault, openOutputs } from './outputs.ts';
import { watchConfiguration } from './watched-configuration.ts';

/** Runs the gateway until a signal ends it; answers the exit code. Without a file the environment configures it. */
export async function serve(file: string | undefined, io: CommandIo): Promise<number> {
  const source = new ConfigurationSource(file, io);
  const read = source.read();
  if (!read.ok) {
    io.err(read.faults);
    return read.exitCode;
  }
  const { configuration } = read;
  const { audit } = configuration.log;
  const unwritable = auditFault(audit);
  if (unwritable !== undefined) {
    io.err(`${file ?? 'environment'}: ${unwritable}\n`);
    return exitCode.configuration;
  }
  const outputs = openOutputs(audit);
  const gateway = createGateway(configuration, outputs);
  const endReloads = reloadOnChange(gateway, source, outputs);
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
    endReloads();
    await gateway.close();
    outputs.flush();
    io.err(`${describeStartFailure(error)}\n`);
    return exitCode.defect;
  }
  await stopSignal();
  endReloads();
  await gateway.close();
  outputs.flush();
  return exitCode.ok;
}

/** Puts in force what the files come to say, at once on SIGHUP. Answers how to end that. */
function reloadOnChange(gateway: Gateway, source: ConfigurationSource, outputs: Outputs): () => void {
  const take = (read: ConfigurationReading): void => {
    if (read.ok) void gateway.reload(read.configuration);
    else gateway.reportUnusable(read.faults);
  };
  // At a terminal it means that the person has left.
  if (!process.stdout.isTTY)
    process.on('SIGHUP', () => {
      outputs.reopen();
      take(source.read());
    });
  return watchConfiguration({
    configuration: source.configuration,
    files: () => source.files,
    read: () => source.read(),
    take,
    now: () => performance.now(),
  });
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
