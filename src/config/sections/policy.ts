import { z } from 'zod';

import { choice, wholeNumber } from '../fields/choice.ts';
import { duration } from '../fields/duration.ts';
import { condition } from '../fields/condition.ts';
import { list } from '../fields/list.ts';
import { noted } from '../fields/notes.ts';
import { scope } from '../fields/scope.ts';
import { mapping } from '../fields/section.ts';
import { nameText, text } from '../fields/text.ts';

const requests = wholeNumber('a whole number of requests, at least 1', 1, 1_000_000_000).meta({
  description: 'How many requests.',
});
const per = duration({ atLeast: '1s', atMost: '1d', wholeSeconds: true }).meta({
  description: 'In which time.',
});

/** A rate without a choice of what it counts by. */
export const rate = mapping({ requests, per });

/** `routes[].rateLimit`. */
export const routeRate = mapping({
  requests,
  per,
  key: choice(['principal', 'route', 'tool']).prefault('principal').meta({
    description:
      '`principal`: the requests of each principal (issuer and subject); on an open route those of each address. `route`: all requests together; of a route of tenants, those of each tenant. `tool`: as `principal`, and each tool by itself.',
  }),
});

/** As long as any name; two stars in a row say no more than one. */
const pattern = text(
  'a pattern of at most 256 characters; * stands for any run of characters',
  /^[^\p{Cc}\s](?:[^\p{Cc}]{0,254}[^\p{Cc}\s])?$/u,
  { type: 'pattern' },
);

const patterns = list(pattern, {
  expected: "a list of at least one pattern such as ['get_*']",
  type: 'list of patterns',
  atLeast: 1,
});

const methods = list(pattern, {
  expected: 'a list of at least one method such as [tools/call]',
  type: 'list of methods',
  atLeast: 1,
});

const rule = mapping({
  name: nameText.meta({ description: 'How log and `explain` call the rule.' }),
  methods: noted(methods, { defaultSays: 'all of MCP' })
    .optional()
    .meta({ description: 'Patterns of methods that it admits. `*` stands for any run of characters.' }),
  tools: patterns.optional().meta({
    description:
      'Patterns of tools that it admits. With `tools`, `prompts` or `resources` a rule admits nothing but these.',
  }),
  prompts: patterns.optional().meta({ description: 'Patterns of prompts that it admits.' }),
  resources: patterns.optional().meta({ description: 'Patterns of resource URIs that it admits.' }),
  scopes: list(scope, { expected: 'a list of scopes', type: 'list of scopes' })
    .optional()
    .meta({ description: "Scopes that it needs besides the route's." }),
  when: condition.optional().meta({
    description: 'CEL condition over `principal`, `call` and `route` that must be true.',
  }),
  rateLimit: rate.optional().meta({
    description:
      'How many calls it admits in which time, for each principal by itself; without a token for each address.',
  }),
});

/** `routes[].policy`: rules that allow. */
export const policy = noted(z.array(rule).min(1), {
  type: 'list of mappings',
  expected: 'a list of at least one rule with a name',
});
