import { z } from 'zod';

import { headerName } from '../fields/header-name.ts';
import { noted } from '../fields/notes.ts';
import { headerValue, secret } from '../fields/secret.ts';
import { mapping } from '../fields/section.ts';
import { nameText, plainText, text } from '../fields/text.ts';
import { valuePattern } from '../fields/value-pattern.ts';
import { oauth } from './oauth.ts';

const scheme = text('a scheme such as Bearer', /^[A-Za-z][A-Za-z0-9-]{0,49}$/, { type: 'scheme' });

const fixed = mapping({
  header: headerName.meta({ description: 'Header that carries the value.' }),
  value: headerValue.meta({ description: 'The value.' }),
  scheme: scheme
    .optional()
    .meta({ description: 'Goes before the value with a space between, as in `Bearer VALUE`.' }),
});

const inbound = mapping({
  from: headerName.meta({ description: "The client's header." }),
  to: headerName.meta({ description: 'The header that goes to the upstream.' }),
  pattern: noted(valuePattern, { defaultSays: 'one word without `"`, `,`, `;` and `\\`' })
    .optional()
    .meta({ description: 'Regular expression that the whole value must match.' }),
  scheme: scheme
    .optional()
    .meta({ description: 'Goes before the value with a space between, as in `Bearer VALUE`.' }),
});

const tokenExchange = mapping({
  authorizationServer: nameText.meta({ description: 'Name of the authorization server that exchanges.' }),
  clientId: plainText.meta({ description: 'The client that the gateway is there.' }),
  clientSecret: secret.meta({ description: 'Its secret.' }),
  audience: plainText.meta({ description: 'The audience of the new token.' }),
  scope: text('scopes, separated by single spaces', /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/, { type: 'scopes' })
    .optional()
    .meta({ description: 'Scopes of the new token, separated by spaces.' }),
});

/** `routes[].upstream.credentials`: what the upstream wants to be shown. */
export const upstreamCredentials = noted(
  z.union([
    mapping({ static: fixed.meta({ description: 'One value for all requests.' }) }),
    mapping({
      headers: noted(z.array(inbound).min(1), {
        type: 'list of mappings',
        expected: 'a list of mappings with from and to',
      }).meta({
        description: "Values from the client's own headers.",
      }),
    }),
    mapping({
      tokenExchange: tokenExchange.meta({
        description: "The client's token, exchanged for one of the upstream (RFC 8693).",
      }),
    }),
    mapping({ oauth: oauth.meta({ description: "The gateway's own login at the upstream." }) }),
    mapping({
      provider: nameText.meta({ description: 'Name of a provider that the embedding program injects.' }),
    }),
  ]),
  {
    type: 'mapping',
    expected: 'one of static, headers, tokenExchange, oauth and provider, with its settings',
  },
);
