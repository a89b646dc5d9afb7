import { describe, expect, it } from 'vitest';

import type { Route } from '../config/configuration.ts';
import type { Call } from '../vocabulary/call.ts';
import type { Read } from '../vocabulary/passage.ts';
import type { Judge, Verdict } from './judge.ts';
import type { TargetKind } from './methods.ts';
import type { Rule } from './rule.ts';
import { admittingRules, refusalOf, rulesIn, type Ruling, rulingsOn } from './rulings.ts';

const ruleOf = (name: string, index = 0, scopes: readonly string[] = []): Rule =>
  ({ name, index, scopes }) as unknown as Rule;
const ruling = (outcome: Verdict['outcome'], rule?: Rule, kind: TargetKind | undefined = 'tool'): Ruling => ({
  verdict: { outcome, rule, says: `${outcome} by ${rule?.name ?? 'none'}` } as Verdict,
  kind,
});

const request = { kind: 'request', method: 'tools/call', id: '1', target: 'a' } as const;
const notification = { kind: 'notification', method: 'x', target: undefined } as const;
const callOf = (over: Partial<Call> = {}): Call => ({
  messages: [request],
  batch: false,
  bytes: Buffer.from(''),
  ...over,
});
const route = { scopes: ['use'], upstream: { transport: 'streamable-http' } } as unknown as Route;
const asked = { call: callOf(), route, hide: true, isModern: false };

describe('what the rules say of a call', () => {
  const judge: Judge = (question) => ({
    outcome: 'denied',
    rule: undefined,
    says: 'target' in question ? `${question.method} ${question.target}` : question.says,
  });
  const said = (call: Call, value: unknown): readonly unknown[] =>
    rulingsOn(call, { principal: null, route, value } as unknown as Read, judge).map(({ verdict, kind }) => [
      kind,
      'says' in verdict && verdict.says,
    ]);

  it('is said of the message', () => {
    expect(said(callOf(), { params: { name: 'a' } })).toEqual([['tool', 'tools/call a']]);
  });

  it('is said of each message of a batch by its own value, and of everything that one names', () => {
    const listen = { kind: 'request', method: 'subscriptions/listen', id: '2', target: undefined } as const;
    const value = [{}, { params: { notifications: { resourceSubscriptions: ['x:a', 'x:b'] } } }];
    expect(said(callOf({ batch: true, messages: [request, listen] }), value)).toEqual([
      ['tool', 'tools/call a'],
      ['resource', 'subscriptions/listen x:a'],
      ['resource', 'subscriptions/listen x:b'],
    ]);
    const [, second] = value;
    expect(said(callOf({ messages: [listen] }), second)).toHaveLength(2);
    expect(said(callOf({ messages: [listen] }), [second])).toEqual([[undefined, 'subscriptions/listen ']]);
    expect(said(callOf({ batch: true, messages: [listen] }), second)).toHaveLength(2);
  });

  it('is said to whoever asks', () => {
    const principal = { subject: 'ada' };
    const heard: unknown[] = [];
    rulingsOn(callOf(), { principal, route, value: {} } as unknown as Read, (question, asker) => {
      heard.push(asker);
      return judge(question, asker);
    });
    expect(heard).toEqual([{ principal, route }]);
  });
});

describe('the rules of a request', () => {
  const [a, b] = [ruleOf('a'), ruleOf('b')];

  it('are those that refused it, else those that admitted it', () => {
    expect(rulesIn([])).toBeUndefined();
    expect(rulesIn([ruling('admitted', a)])).toBe('a');
    expect(rulesIn([ruling('denied')])).toBeUndefined();
    expect(rulesIn([ruling('admitted', a), ruling('admitted', b), ruling('admitted', a)])).toBe('a,b');
    expect(rulesIn([ruling('admitted', a), ruling('scopes', b)])).toBe('b');
    expect(rulesIn([ruling('admitted', a), ruling('denied')])).toBeUndefined();
    expect(rulesIn([ruling('denied'), ruling('login', b)])).toBe('b');
    expect(rulesIn([ruling('admitted'), ruling('admitted')])).toBeUndefined();
  });

  it('that admitted a thing are named for each, where one was needed', () => {
    expect(
      admittingRules([ruling('admitted', a), ruling('admitted'), ruling('denied', b), ruling('admitted', a)]),
    ).toEqual(['a', 'a']);
  });
});

describe('the refusal of a call', () => {
  it('is none where all is admitted', () => {
    expect(refusalOf([], asked)).toBeUndefined();
    expect(refusalOf([ruling('admitted'), ruling('admitted', ruleOf('a'))], asked)).toBeUndefined();
  });

  it('says what nothing would open first, then the missing login, then the scopes', () => {
    const [scopes, login, denied] = [
      ruling('scopes', ruleOf('s', 0, ['s'])),
      ruling('login', ruleOf('l', 1, ['l'])),
      ruling('denied', ruleOf('d')),
    ];
    expect(refusalOf([scopes, login, denied], asked)).toEqual({
      kind: 'call-denied',
      reason: 'call_denied',
      shownAs: 'unknown-tool',
      detail: 'denied by d',
    });
    expect(refusalOf([scopes, login], asked)).toEqual({
      kind: 'login-needed',
      reason: 'login_needed',
      scopes: ['l'],
      detail: 'login by l',
    });
    expect(refusalOf([ruling('admitted'), scopes], asked)).toEqual({
      kind: 'scope-insufficient',
      reason: 'scope_insufficient',
      scopes: ['use', 's'],
      detail: 'scopes by s',
    });
  });

  it('names the scopes of all rules that lack nothing else, each once, in the order of the file', () => {
    const rulings = [
      ruling('scopes', ruleOf('third', 3, ['c', 'a'])),
      ruling('scopes', ruleOf('first', 1, ['a', 'use', 'b'])),
      ruling('admitted', ruleOf('other', 0, ['z'])),
    ];
    expect(refusalOf(rulings, asked)).toMatchObject({
      scopes: ['use', 'a', 'b', 'c'],
      detail: 'scopes by third',
    });
  });

  const shownAs = (kind: TargetKind | undefined, over: Partial<typeof asked>): unknown => {
    const refusal = refusalOf([ruling('denied', undefined, kind)], { ...asked, ...over });
    return refusal?.kind === 'call-denied' ? refusal.shownAs : refusal;
  };
  const none: Ruling['kind'] = undefined;

  it('is that of a name that isn’t there, where names are hidden', () => {
    expect(shownAs('tool', {})).toBe('unknown-tool');
    expect(shownAs('prompt', {})).toBe('unknown-prompt');
    expect(shownAs('resource', {})).toBe('unknown-resource');
    const method = refusalOf([{ ...ruling('denied'), kind: none }], asked);
    expect(method).toMatchObject({ shownAs: 'unknown-method' });
    const modern = refusalOf([{ ...ruling('denied'), kind: none }], { ...asked, isModern: true });
    expect(modern).toMatchObject({ shownAs: 'unknown-method-modern' });
    expect(shownAs('tool', { isModern: true })).toBe('unknown-tool');
  });

  it('is told as such where nobody waits for it here, or names aren’t hidden', () => {
    const sse = { ...route, upstream: { ...route.upstream, transport: 'sse' } } as unknown as Route;
    expect(shownAs('tool', { hide: false })).toBe('not-allowed');
    expect(shownAs('tool', { route: sse })).toBe('not-allowed');
    expect(shownAs('tool', { call: callOf({ batch: true }) })).toBe('not-allowed');
    expect(shownAs('tool', { call: callOf({ messages: [notification] }) })).toBe('not-allowed');
  });
});
