import { list } from '../fields/list.ts';
import { signingKey } from '../fields/secret.ts';
import { mapping } from '../fields/section.ts';

/** `signing`: the keys of the assertions. */
export const signing = mapping({
  key: signingKey.meta({
    description:
      'The private key that signs, the same for all replicas: P-256 or Ed25519, PKCS #8 in PEM form or a JWK. Without it each process makes one.',
  }),
  next: signingKey.optional().meta({
    description:
      'The key that signs after the next rotation: published already, so that servers know it by then.',
  }),
  previous: list(signingKey, {
    expected: 'a list of secrets such as [{ env: OLD_SIGNING_KEY }]',
    type: 'list of secrets',
  })
    .prefault([])
    .meta({ description: 'Keys of before a rotation: published for as long as what they signed is valid.' }),
});
