import { quote } from './describe.ts';
import type { Field } from './structure.ts';
import { branchesOf, shapeOf, shapeOfField } from './structure.ts';

/** What is most likely meant where a value has another shape than its field. */
export function hintForShape(field: Field, value: unknown): string | undefined {
  const shapes = new Set(branchesOf(field).map(shapeOfField));
  const shape = shapeOf(value);
  if (shape === 'nothing')
    return value === null && shapes.has('mapping') ? 'are the lines below indented far enough?' : undefined;
  if (shapes.has(shape)) return undefined;
  if (shapes.has('list')) return hintForList(value);
  if (shapes.has('text')) return hintForText(value);
  return shapes.has('number') && shape === 'text' && /^[0-9]+$/.test(String(value))
    ? 'write it without quotes'
    : undefined;
}

/** The list that was most likely meant by `value`. */
export function hintForList(value: unknown): string | undefined {
  if (typeof value === 'object') return 'begin each item with "- "';
  // Scopes are often written as OAuth sends them.
  const items =
    typeof value === 'string' ? value.split(/[\s,]+/).filter((item) => item !== '') : [JSON.stringify(value)];
  const written = items.map((item) => (/^[\w./:@~-]+$/.test(item) ? item : quote(item)));
  return `${items.length > 1 ? 'a list' : 'a list, even of one'}: [${written.join(', ')}]`;
}

function hintForText(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return `put it in quotes: "${value}"`;
  if (!Array.isArray(value)) return undefined;
  const [only, ...others]: readonly unknown[] = value;
  return typeof only === 'string' && others.length === 0
    ? `one value, no list: ${only}`
    : 'one value, no list';
}
