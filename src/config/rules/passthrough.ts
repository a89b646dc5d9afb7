import type { RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Rule } from './rule.ts';

/** A token goes on only to whom it is for: else the upstream could use it at the gateway, and at every server that takes it. */
export const passthroughIsMeant: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] => {
    if (typeof route.upstream !== 'object' || route.upstream.token !== 'passthrough') return [];
    const path = ['routes', index, 'upstream', 'token'];
    const found = 'passthrough';
    return [
      ...('resource' in route.upstream
        ? []
        : [
            {
              path,
              found: 'passthrough without resource',
              expected: "upstream.resource, the MCP server's own resource URL",
              hint: 'a token goes on only where its aud names the MCP server besides the route',
            },
          ]),
      ...(route.access === 'open'
        ? [{ path, found: 'passthrough on an open route', expected: 'strip', hint: 'no token is read there' }]
        : []),
      ...(route.dpop !== undefined && dpopMode(route.dpop) !== 'off'
        ? [
            {
              path,
              found,
              expected: 'strip, or dpop: off',
              hint: 'the proof beside a bound token is for the gateway: the MCP server would have to refuse both',
            },
          ]
        : []),
    ];
  });

function dpopMode(dpop: NonNullable<RouteDraft['dpop']>): string | undefined {
  return typeof dpop === 'string' ? dpop : dpop.mode;
}
