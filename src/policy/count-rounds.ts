import type { CelFunc } from '@bufbuild/cel';

import { cel } from './cel.ts';
import type { Expression } from './condition-syntax.ts';

/** The name of the function that counts the rounds of a loop; no condition can write it. */
const counter = '@spend';

/** Puts a count of every round into all loops of an expression: `spend` throws once there have been enough. */
export function countRounds(expression: Expression): void {
  const { exprKind: kind } = expression;
  switch (kind.case) {
    case 'selectExpr':
      if (kind.value.operand !== undefined) countRounds(kind.value.operand);
      return;
    case 'callExpr':
      for (const part of [kind.value.target, ...kind.value.args]) if (part !== undefined) countRounds(part);
      return;
    case 'listExpr':
      for (const element of kind.value.elements) countRounds(element);
      return;
    case 'structExpr':
      for (const { keyKind, value } of kind.value.entries) {
        if (keyKind.case === 'mapKey') countRounds(keyKind.value);
        if (value !== undefined) countRounds(value);
      }
      return;
    case 'comprehensionExpr': {
      const loop = kind.value;
      for (const part of [loop.iterRange, loop.loopStep]) if (part !== undefined) countRounds(part);
      if (loop.loopCondition !== undefined)
        loop.loopCondition = called(expression.id, '_&&_', [
          called(expression.id, counter, []),
          loop.loopCondition,
        ]);
      return;
    }
    case 'constExpr':
    case 'identExpr':
    case undefined:
  }
}

function called(id: bigint, name: string, args: Expression[]): Expression {
  return {
    $typeName: 'cel.expr.Expr',
    id,
    exprKind: { case: 'callExpr', value: { $typeName: 'cel.expr.Expr.Call', function: name, args } },
  };
}

/** The function behind the counter. */
export function counterOf(spend: () => void): CelFunc {
  const { celFunc, CelScalar } = cel();
  return celFunc(counter, [], CelScalar.BOOL, () => {
    spend();
    return true;
  });
}
