import { pino } from 'pino';
import type { Logger } from 'pino';

import type { LogLevel } from '../config/configuration.ts';
import type { LineSink } from '../vocabulary/ports.ts';

/** The gateway's log: JSON lines with the level as a word and the time in UTC. */
export function createLogger(level: LogLevel, sink: LineSink): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
}
