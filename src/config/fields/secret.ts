import { z } from 'zod';

import { noted } from './notes.ts';
import { text } from './text.ts';

/** Fields whose value is the path of a file, relative to the configuration file. */
export const filePath = text('the path of a file', /^[^\p{Cc}]*[^\p{Cc}\s][^\p{Cc}]*$/u, { type: 'path' });

export const certificatesFile = noted(filePath, { reads: 'certificates' });
export const keyFile = noted(filePath, { reads: 'key' });

const variable = text('the name of an environment variable', /^[A-Za-z_][A-Za-z0-9_]*$/);

/** A secret is named, never written into the file: files are committed, copied into ConfigMaps, and pasted into issues. */
export const secret = noted(
  z.union([
    z.strictObject({
      env: noted(variable, { secret: true }).meta({ description: 'Name of an environment variable' }),
    }),
    z.strictObject({
      file: noted(filePath, { secret: true }).meta({
        description: 'Path of a file; one line break at its end is no part of the secret',
      }),
    }),
  ]),
  {
    secret: true,
    type: '`{ env }`, `{ file }`',
    expected: '{ env: NAME } or { file: PATH }',
    hintFor: () => 'put the secret into an environment variable or a file, and name that here',
  },
);

/** A secret that has to be a private key. */
export const clientKey = noted(secret, { holds: 'client-key' });

/** A secret that travels in a header. */
export const headerValue = noted(secret, { holds: 'header-value' });

/** A secret that others are made from. */
export const sessionKey = noted(secret, { holds: 'session-key' });

/** A secret that is the private key of signatures. */
export const signingKey = noted(secret, { holds: 'signing-key' });

/** A URL with a password in it. */
export const redisUrl = noted(secret, { holds: 'redis-url' });
