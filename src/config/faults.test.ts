import { describe, expect, it } from 'vitest';

import { formatFaults } from './faults.ts';

describe('faults in a terminal', () => {
  it('stand on a line each, in the order of the file, with the hint below', () => {
    const told = formatFaults('config.yaml', [
      { path: 'routes[0].name', line: 12, column: 5, found: '7', expected: 'a text' },
      {
        path: 'ops.port',
        line: 3,
        column: 9,
        found: '"a"',
        expected: 'a port',
        hint: 'write it without quotes',
      },
      { path: '', line: 1, column: 1, found: 'a tab', expected: 'spaces' },
    ]);
    expect(told).toBe(
      [
        'config.yaml:1:1  found a tab, expected spaces',
        'config.yaml:3:9  ops.port: found "a", expected a port',
        '    write it without quotes',
        'config.yaml:12:5  routes[0].name: found 7, expected a text',
        '',
      ].join('\n'),
    );
  });
});
