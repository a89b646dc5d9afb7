import { findParents, sumSelfMicros } from './cpu-profile.ts';
import type { CpuProfile, ProfileWindow } from './cpu-profile.ts';
import { isIdle } from './module-of.ts';
import { chargedModule, listCallers } from './summary.ts';

/** A part of the work on a request that one can have a reason for. */
export interface Cost {
  readonly name: string;
  readonly micros: number;
}

/** Functions of Node that hand bytes to the kernel. */
const writes = new Set(['writev', 'writeBuffer', 'writeLatin1String', 'writeUtf8String', 'writeAsciiString']);

interface Kind {
  readonly name: string;
  /** Of a sample: the function's own name, and the module that it is charged to. */
  readonly has: (functionName: string, module: string) => boolean;
}

/** The first one that has a sample gets it. */
const kinds: readonly Kind[] = [
  { name: 'garbage collection', has: (functionName) => functionName === '(garbage collector)' },
  { name: 'outside JavaScript: reading, polling', has: (functionName) => functionName === '(program)' },
  {
    name: 'writing to the upstream',
    has: (functionName, module) => writes.has(functionName) && module === 'npm undici',
  },
  {
    name: 'writing to the client',
    has: (functionName, module) => writes.has(functionName) && module !== 'npm sonic-boom',
  },
  { name: 'writing log and audit to files', has: (_, module) => module === 'npm sonic-boom' },
  {
    name: 'log and audit lines, metrics',
    has: (_, module) =>
      ['src telemetry', 'npm pino', 'npm prom-client', 'npm bintrees', 'npm tdigest'].includes(module),
  },
  {
    name: 'the HTTP client',
    has: (_, module) => module === 'npm undici' || module.startsWith('wasm'),
  },
  {
    name: 'reading the message',
    has: (_, module) => module === 'src mcp' || module === 'src vocabulary',
  },
  {
    name: 'the token',
    has: (_, module) => ['src token', 'src authorization-servers', 'npm lru-cache'].includes(module),
  },
  // A contestant of the bench is nothing else.
  {
    name: 'the exchange with the upstream',
    has: (_, module) => module === 'src upstream' || module === 'bench',
  },
  {
    name: 'Fastify and routing',
    has: (_, module) => ['npm fastify', 'npm find-my-way', 'src routes', 'src listener'].includes(module),
  },
  { name: 'all other stages', has: (_, module) => module.startsWith('src ') },
  { name: "Node's HTTP server", has: (_, module) => module.startsWith('node ') },
];

/** All but idle time in kinds of work, the most expensive first. */
export function listCosts(profile: CpuProfile, window: ProfileWindow): readonly Cost[] {
  const parents = findParents(profile);
  const self = sumSelfMicros(profile, window);
  const sums = new Map<string, number>();
  for (const node of profile.nodes) {
    const micros = self.get(node.id) ?? 0;
    if (micros === 0 || isIdle(node.callFrame)) continue;
    const module = chargedModule(node, listCallers(node, parents));
    const { functionName } = node.callFrame;
    const name = kinds.find((kind) => kind.has(functionName, module))?.name ?? module;
    sums.set(name, (sums.get(name) ?? 0) + micros);
  }
  return [...sums].map(([name, micros]) => ({ name, micros })).toSorted((a, b) => b.micros - a.micros);
}
