import { z } from 'zod';

import { claimName } from '../fields/claim.ts';
import { noted } from '../fields/notes.ts';
import { secret } from '../fields/secret.ts';
import { mapping } from '../fields/section.ts';
import { nameText, plainText } from '../fields/text.ts';

const loginClient = mapping({
  authorizationServer: nameText.meta({
    description: 'Name of the authorization server where users show who they are.',
  }),
  clientId: plainText.meta({ description: 'The client that the gateway is there, for OpenID Connect.' }),
  clientSecret: secret.optional().meta({ description: 'Its secret, where it has one.' }),
  idTokenClaim: claimName.prefault('sub').meta({
    description: 'The claim of the ID token that says who the person is.',
  }),
  accessTokenClaim: claimName.prefault('sub').meta({
    description:
      'The claim of their access tokens that says the same. Both name one person for ever, and nobody can change their own.',
  }),
});

/** `login`: as which client the gateway finds out who sits behind a browser. */
export const login = noted(z.array(loginClient).min(1), {
  type: 'list of mappings',
  expected: 'a list of clients, each with authorizationServer and clientId',
});
