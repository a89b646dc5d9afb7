import { z } from 'zod';

import { choice, port } from './fields/choice.ts';
import { duration } from './fields/duration.ts';
import { list } from './fields/list.ts';
import { addressRange, bindAddress, hostName } from './fields/network.ts';
import { noted } from './fields/notes.ts';
import { certificatesFile, filePath, keyFile, sessionKey } from './fields/secret.ts';
import { mapping } from './fields/section.ts';
import { nameText } from './fields/text.ts';
import { publicUrl } from './fields/web-address.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { authorizationServer } from './sections/authorization-server.ts';
import { login } from './sections/login.ts';
import { tokenStore } from './sections/oauth.ts';
import { rate } from './sections/policy.ts';
import { route } from './sections/route.ts';
import { signing } from './sections/signing.ts';
import { state } from './sections/state.ts';

const listenTls = mapping({
  certFile: certificatesFile.meta({ description: 'PEM file of the certificate and its chain.' }),
  keyFile: keyFile.meta({ description: 'PEM file of its key.' }),
});

const listen = mapping({
  host: bindAddress
    .prefault('0.0.0.0')
    .meta({ description: 'Address of the public listener; the variable `HOST` overrides it.' }),
  port: port
    .prefault(8080)
    .meta({ description: 'Port of the public listener; the variable `PORT` overrides it. `0`: a free one.' }),
  tls: listenTls.optional().meta({ description: 'Serves https itself.' }),
  trustProxy: list(addressRange, {
    expected: 'a list of addresses and ranges such as [10.0.0.0/8]',
    type: 'list of addresses',
  })
    .prefault([])
    .meta({
      description:
        'Proxies whose `X-Forwarded-For` is believed, for log and limits, and whose traces are continued.',
    }),
});

const ops = mapping({
  host: bindAddress.prefault('127.0.0.1').meta({
    description: 'Address of the listener for health and metrics; the variable `OPS_HOST` overrides it.',
  }),
  port: port
    .prefault(9090)
    .meta({ description: 'Its port; the variable `OPS_PORT` overrides it. `0`: a free one.' }),
});

const auditFile = mapping({
  file: filePath.meta({ description: 'File that audit events are appended to.' }),
});

const audit = noted(z.union([choice(['stdout', 'off']), auditFile]), {
  type: '`stdout`, `off`, `{ file }`',
  expected: 'stdout, off or { file: PATH }',
});

const log = mapping({
  level: choice(['info', 'fatal', 'error', 'warn', 'debug', 'trace', 'silent'])
    .prefault('info')
    .meta({ description: 'What is logged.' }),
  audit: audit.prefault('stdout').meta({ description: 'Where audit events go.' }),
});

const sessions = mapping({
  key: sessionKey.meta({
    description:
      'At least 32 random bytes, the same for all replicas: it seals session ids and makes the nonces of DPoP. Without it each process has a random one.',
  }),
  previous: list(sessionKey, {
    expected: 'a list of secrets such as [{ env: OLD_SESSION_KEY }]',
    type: 'list of secrets',
  })
    .prefault([])
    .meta({ description: 'Keys of before a rotation: sessions that they sealed still open.' }),
});

const authorizationServers = noted(z.array(authorizationServer), {
  type: 'list of mappings',
  expected: 'a list of authorization servers, each with an issuer',
});

const routes = noted(z.array(route).min(1), {
  type: 'list of mappings',
  expected: 'a list of at least one route with path and upstream',
});

/** The whole file. */
export const configurationSchema = mapping(
  {
    publicUrl: publicUrl.meta({
      description:
        'How clients reach the gateway: origin, and a base path if there is one. Never taken from a request. http only on loopback.',
    }),
    hosts: noted(
      list(hostName, {
        expected: 'a list of host names such as [mcp.example.com]',
        type: 'list of host names',
        atLeast: 1,
      }),
      { defaultSays: "publicUrl's host" },
    )
      .optional()
      .meta({
        description:
          'Names that `Host` may carry; a request with another one is refused. For a loopback name the default is all three of them.',
      }),
    listen: listen.prefault({}).meta({ description: 'The public listener: routes and discovery.' }),
    ops: ops.prefault({}).meta({ description: 'The listener for `/healthz`, `/readyz` and `/metrics`.' }),
    log: log.prefault({}).meta({ description: 'Log and audit.' }),
    stop: mapping({
      delay: duration({ atMost: '5m' }).prefault('0s').meta({
        description:
          'How long the gateway goes on serving after SIGTERM, not ready to probes any more, so that whoever sends traffic here can notice.',
      }),
      drain: duration({ atMost: '1h' })
        .prefault('15s')
        .meta({ description: 'How long calls in flight may go on after SIGTERM.' }),
    })
      .prefault({})
      .meta({ description: 'How the gateway ends.' }),
    sessions: sessions.optional().meta({ description: 'The key that replicas share.' }),
    signing: signing
      .optional()
      .meta({ description: 'The keys that sign who asks, where a route has `identity.assertion`.' }),
    state: state.prefault('memory').meta({
      description:
        'Where state lives: which DPoP proofs were used, what counts towards rate limits, and answers to introspections. `memory`: in this process, for a single replica.',
    }),
    tokenStore: tokenStore.optional().meta({
      description:
        'Where logins at upstreams are kept, encrypted; required where a route has `credentials.oauth`.',
    }),
    limits: mapping({
      perAddress: rate.optional().meta({
        description:
          'How many requests of one address may be refused for their credentials, and in which time, before a token that is not known yet is looked at no more; of an IPv6 address the /64 counts.',
      }),
    })
      .prefault({})
      .meta({ description: 'Limits of the whole gateway.' }),
    discovery: mapping({
      mirror: nameText.meta({
        description:
          'The authorization server whose metadata is served at `/.well-known/oauth-authorization-server` as well.',
      }),
    })
      .optional()
      .meta({ description: 'Metadata for clients of 2025-03-26.' }),
    login: login.optional().meta({
      description:
        'As which client, at which authorization server, the gateway finds out who sits behind a browser: users then log in themselves at upstreams with `credentials.oauth` and `scope: user`.',
    }),
    authorizationServers: authorizationServers
      .prefault([])
      .meta({ description: 'Who issues tokens. Required unless every route is open.' }),
    routes: routes.meta({ description: 'What is served, and to whom.' }),
  },
  { expected: 'a mapping with publicUrl, authorizationServers and routes' },
);

/** As the file holds it. */
export type ConfigurationInput = z.input<typeof configurationSchema>;

/** Checked, with defaults; durations in milliseconds, sizes in bytes. */
export type CheckedConfiguration = z.output<typeof configurationSchema>;

/** JSON Schema of the file, for editors and the chart. */
export function configurationJsonSchema(): Readonly<Record<string, unknown>> {
  return { title: 'Portcullis configuration', ...jsonSchemaOf(configurationSchema) };
}
