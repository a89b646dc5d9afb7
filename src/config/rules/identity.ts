import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Rule } from './rule.ts';

/** Where some callers have a token, one without could be taken for one with. */
export const anonymousNeedsOpenRoutes: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { access, identity }]): readonly Finding[] =>
    access !== 'open' && identity !== undefined && 'anonymous' in identity
      ? [
          {
            path: ['routes', index, 'identity', 'anonymous'],
            at: 'key',
            found: 'anonymous on a route that takes tokens',
            expected: 'the route without it, or with access: open',
            hint: 'who comes without a token has no identity there, so that nobody takes them for someone who has',
          },
        ]
      : [],
  );

/** Nobody's token is read there. */
export const subjectNeedsTokens: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { access, identity }]): readonly Finding[] =>
    access === 'open' && identity !== undefined && 'subject' in identity
      ? [
          {
            path: ['routes', index, 'identity', 'subject'],
            at: 'key',
            found: 'subject on an open route',
            expected: 'the route without it, or with another access; identity.anonymous is for open routes',
          },
        ]
      : [],
  );
