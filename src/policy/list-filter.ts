import type { AnswerFilter, ListName } from '../vocabulary/answer-filter.ts';
import type { Judge } from './judge.ts';
import { isPlainUri } from './plain-uri.ts';
import type { Question } from './question.ts';

/** The call that an item of a list is there for. */
const uses: Readonly<Record<ListName, (name: string) => Question>> = {
  tools: (target) => ({
    method: 'tools/call',
    kind: 'tool',
    target,
    arguments: undefined,
    unknown: 'call.arguments',
  }),
  prompts: (target) => ({
    method: 'prompts/get',
    kind: 'prompt',
    target,
    arguments: undefined,
    unknown: 'call.arguments',
  }),
  resources: (target) => ({ method: 'resources/read', kind: 'resource', target, arguments: undefined }),
  resourceTemplates: (target) => ({
    method: 'resources/read',
    kind: 'resource',
    target,
    arguments: undefined,
    unknown: 'call.resource',
  }),
};

/**
 * Shows what the judge would admit some use of, by the same rules as the use itself, and what lacks only scopes or a login, so
 * that a client can ask for them. Arguments and the variables of a template are unknown then: a condition on them counts as
 * one that could hold.
 */
export function createListFilter(judge: Judge): AnswerFilter {
  return {
    shows(list, name, reader) {
      const isUri = list === 'resources' || list === 'resourceTemplates';
      if (isUri && !isPlainUri(name)) return false;
      return judge(uses[list](name), reader).outcome !== 'denied';
    },
  };
}
