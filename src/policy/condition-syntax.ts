import type { CelEnv, parse } from '@bufbuild/cel';

import { cel } from './cel.ts';

/** An expression of CEL as its parser has it. */
export type Expression = ReturnType<typeof parse>['expr'];
type Call = Extract<Expression['exprKind'], { case: 'callExpr' }>['value'];
type Comprehension = Extract<Expression['exprKind'], { case: 'comprehensionExpr' }>['value'];

/** What a condition may look at, and where in it. */
export const roots: ReadonlyMap<string, readonly string[]> = new Map([
  ['principal', ['issuer', 'subject', 'client', 'scopes', 'email', 'claims']],
  ['call', ['method', 'tool', 'prompt', 'resource', 'arguments']],
  ['route', ['name', 'tenant']],
]);

/** For `type(x) == list`. */
const typeNames = new Set('int uint double bool string bytes list map null_type type'.split(' '));

/** Far above any condition that a person can still read. */
const maximumNodes = 500;

export interface SyntaxFault {
  readonly says: string;
  /** The expression that is at fault. */
  readonly id: bigint;
}

/** What a condition turned out to read. */
export interface Findings {
  /** Roots and their members, such as `call.arguments`. */
  readonly reads: ReadonlySet<string>;
  /** Every member and every text that it names. */
  readonly names: ReadonlySet<string>;
}

/**
 * Whether an expression is a condition: it looks at nothing but the roots, calls what there is with as many arguments as it
 * takes, and builds no lists out of others'. What is left to run time are the types of what a caller brings.
 */
export function checkSyntax(expression: Expression, env: CelEnv): Findings | SyntaxFault {
  const walk = new Walk(env);
  try {
    walk.visit(expression, new Set());
  } catch (fault) {
    if (fault instanceof Stop) return { says: fault.message, id: fault.id };
    throw fault;
  }
  return walk;
}

/** Ends a walk at its first fault. */
class Stop extends Error {
  readonly id: bigint;

  constructor(says: string, { id }: Expression) {
    super(says);
    this.id = id;
  }
}

class Walk implements Findings {
  readonly reads = new Set<string>();
  readonly names = new Set<string>();
  readonly #env: CelEnv;
  #nodes = 0;

  constructor(env: CelEnv) {
    this.#env = env;
  }

  visit(expression: Expression, variables: ReadonlySet<string>): void {
    const { exprKind: kind } = expression;
    this.#nodes += 1;
    if (this.#nodes > maximumNodes) throw new Stop(`more than ${maximumNodes} parts`, expression);
    switch (kind.case) {
      case 'constExpr':
        if (kind.value.constantKind.case === 'stringValue') this.names.add(kind.value.constantKind.value);
        return;
      case 'identExpr':
        return checkName(expression, kind.value.name, variables);
      case 'selectExpr':
        this.names.add(kind.value.field);
        return this.#member(expression, { of: kind.value.operand, name: kind.value.field }, variables);
      case 'callExpr':
        return this.#call(expression, kind.value, variables);
      case 'listExpr':
        for (const element of kind.value.elements) this.visit(element, variables);
        return;
      case 'structExpr':
        if (kind.value.messageName !== '') throw new Stop('a message of Protocol Buffers', expression);
        for (const { keyKind, value } of kind.value.entries) {
          if (keyKind.case === 'mapKey') this.visit(keyKind.value, variables);
          if (value !== undefined) this.visit(value, variables);
        }
        return;
      case 'comprehensionExpr':
        return this.#loop(expression, kind.value, variables);
      case undefined:
        throw new Stop('an empty expression', expression);
    }
  }

  #member(
    expression: Expression,
    { of, name }: { readonly of: Expression | undefined; readonly name: string | undefined },
    variables: ReadonlySet<string>,
  ): void {
    if (of === undefined) return;
    const root = of.exprKind.case === 'identExpr' ? of.exprKind.value.name : undefined;
    const members = root === undefined || variables.has(root) ? undefined : roots.get(root);
    if (root === undefined || members === undefined) return this.visit(of, variables);
    if (name === undefined || !members.includes(name))
      throw new Stop(
        `${root} has ${members.join(', ')}${name === undefined ? '' : `, and no ${name}`}`,
        expression,
      );
    this.reads.add(root).add(`${root}.${name}`);
  }

  #call(expression: Expression, call: Call, variables: ReadonlySet<string>): void {
    const { function: name, target, args } = call;
    const [first, second] = args;
    if (name === '_[_]') {
      this.#member(expression, { of: first, name: textOf(second) }, variables);
      if (second !== undefined) this.visit(second, variables);
      return;
    }
    if ((name === '_==_' || name === '_!=_') && [first, second].some(isNull)) {
      // The one question that a caller without a token answers as a whole.
      const other = isNull(first) ? second : first;
      if (other?.exprKind.case === 'identExpr' && other.exprKind.value.name === 'principal') {
        this.reads.add('principal');
        return;
      }
    }
    checkCall(expression, call, this.#env);
    if (target !== undefined) this.visit(target, variables);
    for (const argument of args) this.visit(argument, variables);
  }

  #loop(expression: Expression, loop: Comprehension, variables: ReadonlySet<string>): void {
    const { iterVar, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = loop;
    // `map` and `filter` make lists that grow with what a caller sends.
    if (accuInit?.exprKind.case === 'listExpr')
      throw new Stop('map and filter are not offered; exists, all and exists_one are', expression);
    if (roots.has(iterVar) || iterVar.startsWith('@'))
      throw new Stop(`${iterVar} stands for something else already`, expression);
    const inside = new Set([...variables, iterVar, accuVar]);
    if (iterRange !== undefined) this.visit(iterRange, variables);
    for (const part of [loopCondition, loopStep, result]) if (part !== undefined) this.visit(part, inside);
  }
}

function checkName(expression: Expression, name: string, variables: ReadonlySet<string>): void {
  if (variables.has(name) || typeNames.has(name)) return;
  const members = roots.get(name);
  if (members === undefined)
    throw new Stop(`there is no ${name}, only ${[...roots.keys()].join(', ')}`, expression);
  throw new Stop(`${name} as a whole; it has ${members.join(', ')}`, expression);
}

/** What the planner does itself, without a function. */
const operators = new Set(['_&&_', '_||_', '_?_:_', '@not_strictly_false']);

function checkCall(expression: Expression, { function: name, target, args }: Call, env: CelEnv): void {
  if (operators.has(name)) return;
  const group = env.funcs.find(name);
  if (group === undefined) throw new Stop(`there is no function ${name}`, expression);
  const fits = [...group].some(
    (one) => one.arguments.length === args.length && (one.target === undefined) === (target === undefined),
  );
  if (!fits)
    throw new Stop(
      `${name} with ${target === undefined ? '' : 'a target and '}${args.length} arguments`,
      expression,
    );
  const [first] = args;
  if (name === 'matches') checkPattern(expression, textOf(first), env);
  if (target !== undefined) checkMail(expression, { name, target, text: textOf(first) });
}

/** A pattern that a caller could write would be a program of the caller's. */
function checkPattern(expression: Expression, pattern: string | undefined, env: CelEnv): void {
  if (pattern === undefined) throw new Stop('matches needs its pattern as a text', expression);
  const tried = env.funcs.find('matches')?.call(0, '', [pattern]);
  if (cel().isCelError(tried))
    throw new Stop(`matches with a pattern that isn't one: ${tried.message}`, expression);
}

interface TextCall {
  readonly name: string;
  readonly target: Expression;
  readonly text: string | undefined;
}

/** `evilcorp.com` ends with `corp.com`, and `a@corp.com.evil.example` contains `@corp.com`. */
function checkMail(expression: Expression, { name, target, text }: TextCall): void {
  const { exprKind: kind } = target;
  if (kind.case !== 'selectExpr' || kind.value.field !== 'email') return;
  const of = kind.value.operand?.exprKind;
  if (of?.case !== 'identExpr' || of.value.name !== 'principal') return;
  if (name === 'contains' || (name === 'endsWith' && text?.startsWith('@') !== true))
    throw new Stop("a domain is compared whole: principal.email.endsWith('@example.com')", expression);
}

function textOf(expression: Expression | undefined): string | undefined {
  const kind = expression?.exprKind;
  if (kind?.case !== 'constExpr' || kind.value.constantKind.case !== 'stringValue') return undefined;
  return kind.value.constantKind.value;
}

function isNull(expression: Expression | undefined): boolean {
  const kind = expression?.exprKind;
  return kind?.case === 'constExpr' && kind.value.constantKind.case === 'nullValue';
}
