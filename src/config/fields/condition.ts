import { maximumConditionLength, readCondition } from '../../policy/condition.ts';
import type { TextReading } from './text.ts';
import { parsedText } from './text.ts';

function read(text: string): TextReading<string> {
  const reading = readCondition(text);
  if (reading.ok) return { ok: true, value: text };
  const place =
    reading.line === 1 ? `column ${reading.column}` : `line ${reading.line}, column ${reading.column}`;
  return {
    ok: false,
    expected: `a CEL condition without a fault at its ${place}`,
    hint: reading.says,
  };
}

/** A condition of a rule, kept as text: the policy stage compiles it once more. */
export const condition = parsedText({
  type: 'CEL',
  expected: `a CEL condition of at most ${maximumConditionLength} characters`,
  pattern: /\S/,
  read,
});
