import type { LineSink } from '../vocabulary/ports.ts';

/** Rewrites the log's JSON lines for a person at a terminal; what isn't such a line passes as it is. */
export function terminalLines(output: LineSink): LineSink {
  return {
    get dropped() {
      return output.dropped ?? 0;
    },
    onTrouble: (hear) => output.onTrouble?.(hear),
    write(line) {
      output.write(readable(line));
    },
  };
}

const shown = ['reason', 'detail', 'rpcMethod', 'durationMs', 'requestId'] as const;

function readable(line: string): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { time, level, msg } = record;
  if (typeof time !== 'string' || typeof level !== 'string' || typeof msg !== 'string') return line;
  const facts = shown.flatMap((name) =>
    record[name] === undefined ? [] : [`${name}=${JSON.stringify(record[name])}`],
  );
  return `${time.slice(11, 19)} ${level.toUpperCase().padEnd(5)} ${[msg, ...facts].join('  ')}\n`;
}
