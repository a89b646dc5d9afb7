import type { Expression } from './condition-syntax.ts';

/** What may be unknown of a call that nobody has made yet. */
export type UnknownPart = 'call.arguments' | 'call.resource';

/**
 * The condition with everything in it taken for true that depends on what isn't known. `&&` and `||` never turn from
 * true to false when a part of theirs turns true, so what doesn't hold of this doesn't hold of the condition, whatever the
 * unknown is. Deeper it doesn't look: a part under `!` or `?:` is known as a whole, or not at all.
 */
export function relax(expression: Expression, dependsOn: (part: Expression) => boolean): Expression {
  const { exprKind: kind } = expression;
  if (kind.case === 'callExpr' && (kind.value.function === '_&&_' || kind.value.function === '_||_')) {
    const args = kind.value.args.map((part) => relax(part, dependsOn));
    return { ...expression, exprKind: { case: 'callExpr', value: { ...kind.value, args } } };
  }
  return dependsOn(expression) ? { ...expression, exprKind: alwaysTrue } : expression;
}

const alwaysTrue: Expression['exprKind'] = {
  case: 'constExpr',
  value: { $typeName: 'cel.expr.Constant', constantKind: { case: 'boolValue', value: true } },
};
