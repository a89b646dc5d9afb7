import type { AuditSink } from '../config/configuration.ts';
import type { LineOutput } from '../telemetry/line-output.ts';
import { openLineOutput, unwritable } from '../telemetry/line-output.ts';
import { terminalLines } from '../telemetry/terminal.ts';
import type { LineSink } from '../vocabulary/ports.ts';

/** Where log and audit go while the gateway runs. */
export interface Outputs {
  readonly logSink: LineSink;
  readonly auditSink: LineSink;
  /** Opens files anew that were moved away. */
  reopen(): void;
  /** Writes at once what still waits. */
  flush(): void;
}

/** Opens what the configuration names; a person at a terminal gets lines to read instead of JSON. */
export function openOutputs(audit: AuditSink): Outputs {
  const standard = openLineOutput(1);
  const auditOutput: LineOutput = typeof audit === 'object' ? openLineOutput(audit) : standard;
  return {
    logSink: process.stdout.isTTY ? terminalLines(standard) : standard,
    auditSink: auditOutput,
    reopen: () => auditOutput.reopen(),
    flush() {
      standard.flush();
      if (auditOutput !== standard) auditOutput.flush();
    },
  };
}

/** Why no audit can be written there; undefined where it can. A gateway that can't keep its audit doesn't start. */
export function auditFault(audit: AuditSink): string | undefined {
  if (typeof audit !== 'object') return undefined;
  const fault = unwritable(audit.file);
  return fault === undefined ? undefined : `log.audit.file: ${fault.message}`;
}
