/** The index of attacks: no case without a test, and no test of a case that isn't there. */
import { describe, expect, it } from 'vitest';
import { findGaps, findNamedTests, readCatalogue, titlesIn } from '../../tools/attack-cases.ts';
import { outcomesOf } from '../../tools/attack-results.ts';

describe('the catalogue', () => {
  it('has a test for each of its cases, and no case twice', () => {
    const cases = readCatalogue();
    expect(cases).toHaveLength(156);
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    expect(findGaps(cases, findNamedTests())).toEqual([]);
  });

  it('misses a case without a test, and a test without a case', () => {
    const [first, second] = ['Z-001', 'Z-002'].map((id) => ({
      id,
      severity: 'high' as const,
      title: 'Something',
      expected: 'Nothing.',
    }));
    const tests = new Map([
      ['Z-002', [{ file: 'a.test.ts', title: 'Z-002' }]],
      ['Z-003', [{ file: 'b.test.ts', title: 'Z-003' }]],
    ]);
    expect(findGaps([first!, second!], tests)).toEqual([
      'Z-001 has no test: Something',
      "Z-003 isn't in the catalogue: b.test.ts",
    ]);
  });
});

describe('a test of a case', () => {
  it('is known by its title, by its group and by a row of its table, in every kind of quotes', () => {
    const program = `
      it('is refused (A-001)', () => {});
      describe("A-002: what isn't said", () => {});
      it.each([['a row: B-003, B-004']])(\`in
        lines (C-005)\`, () => {});
      it('it\\'s quoted (D-006)', () => {});`;
    expect(titlesIn(program)).toEqual([
      'is refused (A-001)',
      "A-002: what isn't said",
      'a row: B-003, B-004',
      'in lines (C-005)',
      "it's quoted (D-006)",
    ]);
  });

  it('is none that only a comment names', () => {
    expect(titlesIn("/** A-001 */ it('x', () => {}); // A-002 'A-003'\nconst url = 'http://x';")).toEqual([]);
  });
});

it('what came of a case is the worst of its tests; one that no test ran for was left out', () => {
  const result = (fullName: string, status: string) => ({ fullName, status });
  const testResults = [
    {
      assertionResults: [result('x A-001', 'passed'), result('A-002', 'passed'), result('A-003', 'skipped')],
    },
    { assertionResults: [result('A-002 and A-001', 'failed'), result('A-005', 'passed')] },
  ];
  const outcomes = outcomesOf(['A-001', 'A-002', 'A-003', 'A-004', 'A-005'], { testResults });
  expect([...outcomes.values()]).toEqual(['failed', 'failed', 'left out', 'left out', 'passed']);
});
