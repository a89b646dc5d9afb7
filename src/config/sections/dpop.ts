import { z } from 'zod';

import type { ProofAlgorithm } from '../configuration.ts';
import { choice, flag } from '../fields/choice.ts';
import { duration } from '../fields/duration.ts';
import { list } from '../fields/list.ts';
import { noted } from '../fields/notes.ts';
import { mapping } from '../fields/section.ts';

const mode = choice(['off', 'optional', 'required']);

const algorithm = choice<ProofAlgorithm>(['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256']);

const algorithms = list(algorithm, {
  expected: 'a list of algorithms such as [ES256, EdDSA]',
  type: 'list of algorithms',
  atLeast: 1,
});

const details = mapping(
  {
    mode: mode.meta({
      description:
        '`optional`: bound tokens need a proof, others pass as Bearer. `required`: every token must be bound to a key and come with a proof.',
    }),
    nonce: flag.prefault(false).meta({
      description:
        'Whether a proof must hold a nonce of the gateway, so that none can be made ahead of its time. Costs clients a second request now and then.',
    }),
    algorithms: algorithms.prefault(['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256']).meta({
      description: 'What proofs may be signed with: ES256, ES384, EdDSA (also called Ed25519), RS256, PS256.',
    }),
    window: duration({ atLeast: '5s', atMost: '10m' })
      .prefault('60s')
      .meta({ description: 'Age up to which a proof is taken.' }),
  },
  { expected: 'a mapping with mode' },
);

/** A word alone is short for a mapping with it. */
const shortForm = noted(
  mode.transform((word) => details.parse({ mode: word })),
  { words: ['off', 'optional', 'required'] },
);

/** `routes[].dpop`: a word, or a mapping. */
export const dpop = noted(z.union([shortForm, details]), {
  type: '`off`, `optional`, `required`, mapping',
  expected: 'off, optional, required, or a mapping with mode',
});
