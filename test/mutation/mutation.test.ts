/** What `npm run mutate` needs to be right before it runs for an hour. */
import { existsSync, globSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { countMutants, rowOf, scoreOf } from './figures.ts';
import { mutatedFolders, sourcesOf, testsOf } from './folders.ts';

describe('mutation', () => {
  it.each(mutatedFolders)('of $name leaves out only tests that are there', (folder) => {
    const slow = folder.slow.map((file) => `src/${folder.name}/${file}`);
    for (const file of slow) expect([file, existsSync(file)]).toEqual([file, true]);
    const tests = testsOf(folder);
    expect(tests.length).toBeGreaterThan(3);
    for (const file of slow) expect(tests).not.toContain(file);
    expect(sourcesOf(folder).map((pattern) => globSync(pattern.replace('!', '')).length > 3)).toEqual([
      true,
      true,
    ]);
  });

  it('counts what no test reaches as a survivor, and what never ends as noticed', () => {
    const ends = [
      'Killed',
      'Killed',
      'Timeout',
      'Survived',
      'NoCoverage',
      'RuntimeError',
      'Ignored',
    ] as const;
    const figures = countMutants(ends.map((status) => ({ status })));
    expect(figures).toEqual({ killed: 2, timedOut: 1, survived: 1, uncovered: 1 });
    expect(scoreOf(figures)).toBeCloseTo(60);
    expect(rowOf('token', figures)).toBe('| `token` | 2 | 1 | 1 | 1 | 60.0 % |');
  });
});
