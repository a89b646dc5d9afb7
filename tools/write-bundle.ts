import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';
import type { OutputChunk, Plugin } from 'rolldown';

export interface WrittenChunk {
  readonly fileName: string;
  readonly bytes: number;
  /** The files that it was made of, seen from the repository. */
  readonly sources: readonly string[];
  /** What it asks Node for when it runs: other chunks, Node's own modules. */
  readonly imports: readonly string[];
}

const repository = fileURLToPath(new URL('..', import.meta.url));

/** What the program loads when a configuration asks for it; each becomes a chunk of its own. */
const loadedLate: ReadonlyMap<string, string> = new Map([
  ['@bufbuild/cel', 'conditions'],
  ['@redis/client', 'redis-client'],
  ['rate-limiter-flexible', 'redis-rates'],
]);

/**
 * Fastify loads them for routes with schemas and for requests that never went over a socket. The gateway has neither, so they
 * stay in node_modules, where they would be found.
 */
const neverReached: readonly string[] = [
  '@fastify/ajv-compiler',
  '@fastify/fast-json-stringify-compiler',
  'light-my-request',
];

/** Dependencies try them and go on without. */
const notInstalled: readonly string[] = ['@node-rs/xxhash', 'bufferutil', 'utf-8-validate'];

/**
 * Writes the program and what it depends on into few files, in the place of everything in the folder: `main.js`, and a file for
 * each part that is loaded late. All lie side by side, next to where a package.json is. Comments but licences are left out.
 */
export async function writeBundle(folder: string): Promise<readonly WrittenChunk[]> {
  await using bundle = await rolldown({
    cwd: repository,
    input: {
      main: 'src/main.ts',
      ...Object.fromEntries([...loadedLate].map(([name, chunk]) => [chunk, late + name])),
    },
    platform: 'node',
    external: [...neverReached, ...notInstalled],
    plugins: [loadLate],
    onLog: (level, { message }) => {
      if (level === 'warn') throw new Error(`the bundle isn't what was meant: ${message}`);
    },
  });
  rmSync(folder, { recursive: true, force: true });
  const { output } = await bundle.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    // Named after the command in it, or after the first of what several have in common.
    chunkFileNames: ({ isDynamicEntry }) => (isDynamicEntry ? '[name].js' : 'shared-[name].js'),
    comments: { legal: true, annotation: false, jsdoc: false },
    // One character beyond Latin-1 doubles what a file takes in memory.
    charset: 'ascii',
  });
  return output.filter((part) => part.type === 'chunk').map(describeChunk);
}

function describeChunk({ fileName, code, moduleIds, imports, dynamicImports }: OutputChunk): WrittenChunk {
  return {
    fileName,
    bytes: Buffer.byteLength(code),
    sources: moduleIds.filter((id) => !id.startsWith('\0')).map((id) => relative(repository, id)),
    imports: [...imports, ...dynamicImports],
  };
}

const late = '\0late:';

/** Turns `load('NAME')` of what is loaded late into `load('./CHUNK.js')`. */
const loadLate: Plugin = {
  name: 'load-late',
  resolveId: (id) => (id.startsWith(late) ? id : null),
  load: (id) =>
    id.startsWith(late)
      ? `import * as library from ${JSON.stringify(id.slice(late.length))}; export { library as 'module.exports' };`
      : null,
  transform(code, id) {
    if (!id.startsWith(join(repository, 'src')) || !code.includes('createRequire(')) return null;
    const bundled = code.replaceAll(/\bload\('([^']+)'\)/g, (_call, name: string) => {
      const chunk = loadedLate.get(name);
      if (chunk === undefined)
        throw new Error(`${id} loads ${name} late, and the bundle has no chunk for it`);
      return `load('./${chunk}.js')`;
    });
    // It would be looked for in node_modules, and found there until someone leaves them out.
    if (bundled === code) throw new Error(`${id} loads something late, but not as load('NAME')`);
    return bundled;
  },
};
