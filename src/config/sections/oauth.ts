import { choice, port } from '../fields/choice.ts';
import { list } from '../fields/list.ts';
import { hostName } from '../fields/network.ts';
import { noted } from '../fields/notes.ts';
import { scope } from '../fields/scope.ts';
import { certificatesFile, filePath, secret, sessionKey } from '../fields/secret.ts';
import { mapping } from '../fields/section.ts';
import { plainText } from '../fields/text.ts';
import { clientMetadataUrl, localIssuer } from '../fields/web-address.ts';

const scopes = list(scope, { expected: 'a list of scopes', type: 'list of scopes', atLeast: 1 });

/** `credentials.oauth`: how the gateway logs in at an upstream. */
export const oauth = mapping({
  scope: choice(['shared', 'user']).meta({
    description: 'One login for all requests of the route, or of each tenant; or one for each user.',
  }),
  clientId: plainText
    .optional()
    .meta({ description: 'A client that is registered already; without it see `clientMetadataUrl`.' }),
  clientSecret: secret.optional().meta({ description: 'Its secret, where it has one.' }),
  clientMetadataUrl: clientMetadataUrl.optional().meta({
    description:
      'URL of a Client ID Metadata Document. Without it, or where the server takes none, the gateway registers itself (RFC 7591).',
  }),
  scopes: noted(scopes, { defaultSays: 'what the upstream asks for' })
    .optional()
    .meta({ description: 'Scopes to ask for.' }),
  redirectPort: port
    .prefault(0)
    .meta({ description: 'Port of the callback of `portcullis login` on 127.0.0.1; `0`: a free one.' }),
  authorizationServers: noted(
    list(localIssuer, {
      expected: 'a list of issuers such as [https://login.example.com]',
      type: 'list of URLs',
    }),
    { defaultSays: "the upstream's own origin" },
  )
    .prefault([])
    .meta({
      description:
        'Issuers that the upstream may send the gateway to. Whatever else it names is never asked.',
    }),
  allowHosts: list(hostName, {
    expected: 'a list of host names such as [oauth2.googleapis.com]',
    type: 'list of host names',
  })
    .prefault([])
    .meta({ description: 'Hosts besides their own that the metadata of these servers may name.' }),
  tls: mapping({
    caFile: certificatesFile.meta({
      description: "PEM file of the authorities that are trusted instead of the system's.",
    }),
  })
    .optional()
    .meta({ description: 'How these servers prove themselves.' }),
});

/** `tokenStore`: where the logins at upstreams are kept. */
export const tokenStore = mapping({
  directory: noted(filePath, { defaultSays: "the state's Redis" }).optional().meta({
    description: 'Folder for their files, for the owner alone; it is made where it is missing.',
  }),
  key: sessionKey.meta({
    description: 'At least 32 random bytes, the same for all replicas: everything kept is encrypted with it.',
  }),
  previous: list(sessionKey, {
    expected: 'a list of secrets such as [{ env: OLD_TOKEN_KEY }]',
    type: 'list of secrets',
  })
    .prefault([])
    .meta({ description: 'Keys of before a rotation: what they encrypted can still be read.' }),
});
