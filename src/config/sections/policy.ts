import { z } from 'zod';

import { choice, wholeNumber } from '../fields/choice.ts';
import { duration } from '../fields/duration.ts';
import { list } from '../fields/list.ts';
import { noted } from '../fields/notes.ts';
import { scope } from '../fields/scope.ts';
import { mapping } from '../fields/section.ts';
import { nameText, plainText } from '../fields/text.ts';

const requests = wholeNumber('a whole number of requests, at least 1', 1, 1_000_000_000).meta({
  description: 'How many requests.',
});
const per = duration({ atLeast: '1s', atMost: '1d' }).meta({ description: 'In which time.' });

/** A rate without a choice of what it counts by. */
export const rate = mapping({ requests, per });

/** `routes[].rateLimit`. */
export const routeRate = mapping({
  requests,
  per,
  key: choice(['principal', 'route', 'tool']).prefault('principal').meta({ description: 'What is counted.' }),
});

const patterns = list(plainText, {
  expected: "a list of patterns such as ['get_*']",
  type: 'list of patterns',
});

const rule = mapping({
  name: nameText.meta({ description: 'How log and `explain` call the rule.' }),
  methods: list(plainText, { expected: 'a list of methods such as [tools/call]', type: 'list of methods' })
    .optional()
    .meta({ description: 'Methods it admits; default: all.' }),
  tools: patterns.optional().meta({ description: 'Tools it admits.' }),
  prompts: patterns.optional().meta({ description: 'Prompts it admits.' }),
  resources: patterns.optional().meta({ description: 'Resource URIs it admits.' }),
  scopes: list(scope, { expected: 'a list of scopes', type: 'list of scopes' })
    .optional()
    .meta({ description: 'Scopes it needs.' }),
  when: plainText.optional().meta({ description: 'CEL condition over principal, call and route.' }),
  rateLimit: rate.optional().meta({ description: 'Rate for each principal and rule.' }),
});

/** `routes[].policy`: rules that allow. */
export const policy = noted(z.array(rule), {
  type: 'list of mappings',
  expected: 'a list of rules, each with a name',
});
