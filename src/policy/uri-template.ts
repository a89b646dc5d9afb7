import { compileGlob, compilePieces, isGlob } from './glob.ts';

/** Longer ones are no one's, as with patterns. */
const maximumLength = 2048;

/** RFC 6570 §2.2: an expression; it may expand to anything, and to nothing. */
const expression = /\{[^{}]*\}/;

/** All but what stands behind the last one. */
const upToLast = /^.*\{[^{}]*\}/s;

/**
 * Whether a URI template could expand to a URI that is of a pattern, in which `*` stands for any run of characters. An expression
 * is taken for any run too, whatever its operator: of what it really expands to, this never says no where the answer is yes. The time
 * is bounded by the lengths of both.
 */
export function couldFit(template: string, pattern: string): boolean {
  if (template.length > maximumLength) return false;
  const first = template.search(expression);
  if (first === -1) return compileGlob(pattern)(template);
  const start = template.slice(0, first);
  if (!isGlob(pattern))
    return pattern.startsWith(start) && compilePieces(template.split(expression))(pattern);
  // What is between the ends of the one fits into a run of the other, so that only the ends can be at odds.
  const patternStart = pattern.slice(0, pattern.indexOf('*'));
  if (!start.startsWith(patternStart) && !patternStart.startsWith(start)) return false;
  const end = template.replace(upToLast, '');
  const patternEnd = pattern.slice(pattern.lastIndexOf('*') + 1);
  return end.endsWith(patternEnd) || patternEnd.endsWith(end);
}
