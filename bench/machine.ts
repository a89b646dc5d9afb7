import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

import { versionOnPath } from './native-process.ts';

const require = createRequire(import.meta.url);

/** What the figures depend on, in one line each: the processor, the system, the versions. */
export function describeMachine(loadName: string): readonly string[] {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  const packages = ['undici', 'fastify', '@fastify/http-proxy', 'jose'].map(
    (name) => `${name} ${versionOf(name)}`,
  );
  const commands = ['nginx', 'haproxy'].flatMap((command) => {
    const version = versionOnPath(command);
    return version === undefined ? [] : [`${command} ${version}`];
  });
  return [
    `${availableParallelism()} cores of ${processor}, ${memory} GiB, ${type()} ${release()}`,
    `Node ${process.version}, ${packages.join(', ')}, ${[...commands, loadName].join(', ')}`,
  ];
}

function versionOf(name: string): string {
  const manifest = readFileSync(require.resolve(`${name}/package.json`), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
