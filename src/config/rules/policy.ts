import type { TargetKind } from '../../policy/methods.ts';
import { knownMethods } from '../../policy/methods.ts';
import { compileGlob } from '../../policy/glob.ts';
import { quote } from '../describe.ts';
import type { RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Path } from '../path.ts';
import type { Rule } from './rule.ts';

type RuleDraft = NonNullable<NonNullable<RouteDraft['policy']>[number]>;

const kinds = [
  ['tools', 'tool'],
  ['prompts', 'prompt'],
  ['resources', 'resource'],
] as const satisfies readonly (readonly [keyof RuleDraft, TargetKind])[];

/** Looks at every rule of every route. */
function ofEachRule(look: (rule: RuleDraft, path: Path, route: RouteDraft) => readonly Finding[]): Rule {
  return (draft) =>
    entriesOf(draft.routes).flatMap(([index, route]) =>
      entriesOf(route.policy).flatMap(([place, rule]) =>
        look(rule, ['routes', index, 'policy', place], route),
      ),
    );
}

/** Log and audit call a rule by its name. */
export const distinctRuleNames: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { policy }]) => {
    const seen = new Map<string, number>();
    return entriesOf(policy).flatMap(([place, { name }]): readonly Finding[] => {
      if (name === undefined) return [];
      const other = seen.get(name);
      if (other === undefined) {
        seen.set(name, place);
        return [];
      }
      return [
        {
          path: ['routes', index, 'policy', place, 'name'],
          found: `the name ${quote(name)}, which policy[${other}] has as well`,
          expected: 'a name of its own',
        },
      ];
    });
  });

/** Tools in a rule that isn't about the call of any. */
export const targetsHaveAMethod: Rule = ofEachRule((rule, path) => {
  const methods = textsOf(rule.methods);
  if (methods === undefined) return [];
  const fits = methods.map(compileGlob);
  return kinds.flatMap(([key, kind]): readonly Finding[] => {
    if (!(key in rule)) return [];
    const about = methodsAbout(kind);
    if (about.some((method) => fits.some((fit) => fit(method)))) return [];
    return [
      {
        path: [...path, key],
        at: 'key',
        found: `${key} beside methods that have none`,
        expected: `methods with ${about[0]}, or none`,
      },
    ];
  });
});

/** `methods: [tools/call, prompts/get]` beside tools alone: the rule would be about no prompt, though it says so. */
export const methodsHaveATarget: Rule = ofEachRule((rule, path) => {
  const methods = textsOf(rule.methods);
  const given = kinds.filter(([key]) => key in rule);
  if (methods === undefined || given.length === 0) return [];
  return methods.flatMap((method, place): readonly Finding[] => {
    const about = knownMethods.get(method) ?? [];
    if (about.length === 0 || about.some((kind) => given.some(([, one]) => one === kind))) return [];
    const key = kinds.find(([, kind]) => kind === about[0])?.[0] ?? '';
    return [
      {
        path: [...path, 'methods', place],
        found: `${method} beside ${given.map(([one]) => one).join(' and ')}`,
        expected: `${key} too, or a rule of its own`,
        hint: `a rule with ${given[0]?.[0]} admits nothing else that has a name; ${key}: ['*'] means all of them`,
      },
    ];
  });
});

/** Nobody on an open route has any. */
export const openRulesNeedNoScopes: Rule = ofEachRule((rule, path, { access }) =>
  access === 'open' && (rule.scopes?.length ?? 0) > 0
    ? [
        {
          path: [...path, 'scopes'],
          at: 'key',
          found: 'scopes in a rule of an open route',
          expected: 'the rule without them, or the route with access: optional',
          hint: 'no token is asked for or read on an open route',
        },
      ]
    : [],
);

/** Without rules nothing would tell what callers without a token may do; with scopes of the route there could be none. */
export const optionalRoutesHaveRules: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] => {
    if (route.access !== 'optional') return [];
    return [
      ...('policy' in route
        ? []
        : [
            {
              path: ['routes', index, 'policy'],
              found: 'nothing',
              expected: `policy, which says what callers without a token may do, because routes[${index}].access is optional`,
            },
          ]),
      ...((route.scopes?.length ?? 0) > 0
        ? [
            {
              path: ['routes', index, 'scopes'],
              at: 'key' as const,
              found: 'scopes on an optional route',
              expected: 'the scopes in the rules that need them, or access: required',
              hint: 'every request would need them, so that nobody could come without a token; challengeScopes says what clients ask for',
            },
          ]
        : []),
    ];
  });

export const hideNeedsRules: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] =>
    'hide' in route && !('policy' in route)
      ? [
          {
            path: ['routes', index, 'hide'],
            at: 'key',
            found: 'hide on a route without policy',
            expected: 'the route without it, or with policy',
            hint: 'everyone may use everything, so that there is nothing to hide',
          },
        ]
      : [],
  );

/** Undefined where they aren't all known. */
function textsOf(list: readonly (string | undefined)[] | undefined): readonly string[] | undefined {
  if (list === undefined || list.includes(undefined)) return undefined;
  return list.filter((item) => item !== undefined);
}

function methodsAbout(kind: TargetKind): readonly string[] {
  return [...knownMethods].filter(([, about]) => about.includes(kind)).map(([method]) => method);
}
