import { loadConfiguration } from '../config/load.ts';
import type { Configuration } from '../config/configuration.ts';
import { formatFaults } from '../config/faults.ts';
import { createGateway } from '../gateway.ts';
import type { LineOutput } from '../telemetry/line-output.ts';
import { openLineOutput } from '../telemetry/line-output.ts';
import { terminalLines } from '../telemetry/terminal.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';

/** Runs the gateway until a signal ends it; answers the exit code. */
export async function serve(file: string, io: CommandIo): Promise<number> {
  const configuration = readConfiguration(file, io);
  if (typeof configuration === 'number') return configuration;
  const outputs = openOutputs(configuration);
  const gateway = createGateway(configuration, outputs.sinks);
  const crash = (error: unknown): void => {
    outputs.sinks.logSink.write(
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

/** The checked configuration, or the exit code after its faults were told. */
function readConfiguration(file: string, io: CommandIo): Configuration | number {
  let text: string;
  try {
    text = io.readFile(file);
  } catch (error) {
    io.err(`${file}: ${error instanceof Error ? error.message : 'unreadable'}\n`);
    return exitCode.usage;
  }
  const loaded = loadConfiguration(text, { file, environment: io.environment, readFile: io.readFile });
  if (loaded.ok) return loaded.configuration;
  io.err(formatFaults(file, loaded.faults));
  return exitCode.configuration;
}

function openOutputs({ log }: Configuration): {
  readonly sinks: {
    readonly logSink: { write(line: string): void };
    readonly auditSink: { write(line: string): void };
  };
  readonly flush: () => void;
} {
  const standard = openLineOutput(1);
  const audit: LineOutput = typeof log.audit === 'object' ? openLineOutput(log.audit) : standard;
  return {
    sinks: { logSink: process.stdout.isTTY ? terminalLines(standard) : standard, auditSink: audit },
    flush: () => {
      standard.flush();
      if (audit !== standard) audit.flush();
    },
  };
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
