import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Rule } from './rule.ts';

/** Bridges of that age run one process for all and send each answer to everyone: whose it is, only the operator knows. */
export const legacyNeedsAWordOnProcesses: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { upstream }]): readonly Finding[] => {
    if (typeof upstream !== 'object' || upstream.transport !== 'sse' || 'sharedProcess' in upstream)
      return [];
    return [
      {
        path: ['routes', index, 'upstream', 'sharedProcess'],
        found: 'nothing, with transport: sse',
        expected: 'isolated or accept-risk',
        hint: 'older bridges send every answer to all who are connected; isolated says that yours runs one process for each session, accept-risk that people may see each other’s answers',
      },
    ];
  });

export const legacyKeysNeedLegacy: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { upstream }]): readonly Finding[] => {
    if (typeof upstream !== 'object' || upstream.transport === 'sse') return [];
    return (['sharedProcess', 'sseEndpoint'] as const)
      .filter((key) => key in upstream)
      .map((key) => ({
        path: ['routes', index, 'upstream', key],
        at: 'key',
        found: `${key} without transport: sse`,
        expected: 'the route without it, or with transport: sse',
      }));
  });
