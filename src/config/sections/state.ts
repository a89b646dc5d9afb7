import { z } from 'zod';

import { choice } from '../fields/choice.ts';
import { noted } from '../fields/notes.ts';
import { redisUrl } from '../fields/secret.ts';
import { mapping } from '../fields/section.ts';
import { text } from '../fields/text.ts';
import { mutualTls } from './mutual-tls.ts';

/** No blanks, and nothing that patterns of keys or of ACLs would read as more than itself. */
const keyPrefix = text('1 to 64 letters, digits or characters of . _ : -', /^[A-Za-z0-9._:-]{1,64}$/);

const redis = mapping({
  redis: mapping({
    url: redisUrl.meta({
      description:
        'URL of the server with its password, `redis://:PASSWORD@HOST:6379/0`, or with `USER:PASSWORD`; `rediss://` for TLS. A single server, no cluster.',
    }),
    tls: mutualTls.optional().meta({ description: 'How both sides prove themselves, with `rediss://`.' }),
    prefix: keyPrefix.prefault('portcullis:').meta({
      description: 'What every key begins with. Gateways that shall know nothing of each other need two.',
    }),
  }).meta({ description: 'Keeps state in Redis.' }),
});

/** `state`: where the gateway keeps what it learns while it runs. */
export const state = noted(z.union([choice(['memory']), redis]), {
  type: '`memory`, `{ redis }`',
  expected: 'memory, or a mapping with redis',
});
