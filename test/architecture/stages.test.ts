import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

const source = new URL('../../src/', import.meta.url).pathname;

/** Rooms of the house that are no stages: they may be imported, or import the stages to put them together. */
const sharedRooms = new Set(['vocabulary', 'authorization-servers', 'state']);
const composingRooms = new Set(['commands', 'config', 'listener', 'running']);

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function sourceFiles(): readonly string[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  );
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(type\s+)?[^;'"]*?(?:from\s+)?['"](\.[^'"]+)['"]/gm)].map(
    (found) => ({
      file,
      typeOnly: found[1] !== undefined,
      target: join(file, '..', found[2] ?? ''),
    }),
  );
}

const roomOf = (file: string): string => file.split('/')[0] ?? '';
const files = sourceFiles();

describe('the house', () => {
  it('is looked at whole', () => {
    expect(files.length).toBeGreaterThan(40);
    expect(importsOf('gateway.ts').map(({ target }) => target)).toContain('token/token.plugin.ts');
  });

  it('keeps stages apart: they meet in gateway.ts and speak in vocabulary/', () => {
    const strangers = files
      .filter((file) => file.includes('/') && !composingRooms.has(roomOf(file)))
      .flatMap(importsOf)
      .filter(({ file, target, typeOnly }) => {
        const room = roomOf(target);
        if (!target.includes('/') || room === roomOf(file) || sharedRooms.has(room)) return false;
        // The resolved configuration's types are words that all stages share.
        return !(typeOnly && target === 'config/configuration.ts');
      });
    expect(strangers).toEqual([]);
  });

  it('lets the words depend on nothing but words', () => {
    const dependent = files
      .filter((file) => roomOf(file) === 'vocabulary')
      .flatMap(importsOf)
      .filter(
        ({ target, typeOnly }) =>
          roomOf(target) !== 'vocabulary' && !(typeOnly && target === 'config/configuration.ts'),
      );
    expect(dependent).toEqual([]);
  });

  it('lets one file of each stage know Fastify’s plugins', () => {
    const knowing = files.filter((file) =>
      /from 'fastify-plugin'/.test(readFileSync(join(source, file), 'utf8')),
    );
    expect(knowing.filter((file) => !/^([a-z]+)\/\1\.plugin\.ts$/.test(file))).toEqual([]);
  });

  it('makes a passage nowhere but where it is proved', () => {
    const makers: Record<string, readonly string[]> = {
      matched: ['routes'],
      authenticated: ['token'],
      anonymous: ['token'],
      read: ['mcp'],
      admitted: ['policy'],
    };
    for (const [step, rooms] of Object.entries(makers)) {
      const importing = files.filter((file) =>
        new RegExp(`import \\{[^}]*\\b${step}\\b[^}]*\\} from '[^']*vocabulary/passage.ts'`).test(
          readFileSync(join(source, file), 'utf8'),
        ),
      );
      expect(importing.map(roomOf)).toEqual(rooms);
    }
  });
});
