import { z } from 'zod';

import { choice, port } from '../fields/choice.ts';
import { headerName } from '../fields/header-name.ts';
import { list } from '../fields/list.ts';
import { noted } from '../fields/notes.ts';
import { scope } from '../fields/scope.ts';
import { secret } from '../fields/secret.ts';
import { mapping } from '../fields/section.ts';
import { nameText, plainText } from '../fields/text.ts';
import { endpoint } from '../fields/web-address.ts';

const scopes = list(scope, { expected: 'a list of scopes', type: 'list of scopes' });

const fixed = mapping({
  header: headerName.meta({ description: 'Header that carries the value.' }),
  value: secret.meta({ description: 'The value.' }),
});

const inbound = mapping({
  from: headerName.meta({ description: "The client's header." }),
  to: headerName.meta({ description: 'The header that goes to the upstream.' }),
  pattern: plainText.optional().meta({ description: 'Regular expression that the value must match.' }),
});

const tokenExchange = mapping({
  authorizationServer: nameText.meta({ description: 'Name of the authorization server that exchanges.' }),
  clientId: plainText.meta({ description: 'The client that the gateway is there.' }),
  clientSecret: secret.meta({ description: 'Its secret.' }),
  audience: plainText.meta({ description: 'The audience of the new token.' }),
  scope: plainText.optional().meta({ description: 'Scopes of the new token, separated by spaces.' }),
});

const oauth = mapping({
  scope: choice(['shared', 'user']).meta({ description: 'One login for all users, or one for each.' }),
  clientId: plainText.optional().meta({ description: 'A client that is registered already.' }),
  clientSecret: secret.optional().meta({ description: 'Its secret.' }),
  clientMetadataUrl: endpoint.optional().meta({ description: 'URL of a Client ID Metadata Document.' }),
  scopes: scopes.optional().meta({ description: 'Scopes to ask for.' }),
  redirectPort: port.prefault(0).meta({ description: 'Port of the login callback; 0: a free one.' }),
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
