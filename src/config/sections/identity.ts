import { z } from 'zod';

import { choice, flag } from '../fields/choice.ts';
import { claimName } from '../fields/claim.ts';
import { duration } from '../fields/duration.ts';
import { headerName } from '../fields/header-name.ts';
import { noted } from '../fields/notes.ts';
import { mapping } from '../fields/section.ts';
import { nameText } from '../fields/text.ts';

/** A header's name; its default is the preset's. */
function identityHeader(name: string, description: string): z.ZodOptional<typeof headerName> {
  return noted(headerName, { defaultSays: `\`${name}\`` })
    .optional()
    .meta({ description });
}

const headers = mapping({
  subject: identityHeader('X-Auth-Subject', 'Header with the subject.'),
  issuer: identityHeader('X-Auth-Issuer', 'Header with the issuer.'),
  client: identityHeader('X-Auth-Client-Id', 'Header with the client.'),
  scopes: identityHeader('X-Auth-Scopes', 'Header with the granted scopes, separated by spaces.'),
  email: identityHeader('X-Auth-Email', 'Header with the email address.'),
  tenant: identityHeader('X-Auth-Tenant', 'Header with the tenant, on routes of tenants.'),
});

const assertion = mapping({
  header: headerName.prefault('X-Auth-Assertion').meta({ description: 'Header that carries it.' }),
  meta: flag.prefault(false).meta({
    description:
      'Whether it is also put into `_meta` of JSON-RPC requests, as `io.portcullis/assertion`, for servers behind a bridge.',
  }),
  ttl: duration({ atLeast: '5s', atMost: '60s' })
    .prefault('60s')
    .meta({ description: 'How long it is valid.' }),
});

const anonymous = noted(
  z.union([
    choice(['session']),
    mapping({ static: nameText.meta({ description: 'The subject of every request.' }) }),
  ]),
  { type: '`session`, mapping', expected: 'session or { static: ID }' },
);

const claims = noted(z.record(headerName, claimName), {
  type: 'mapping of headers to claims',
  expected: 'a mapping from header names to claims, such as X-Auth-Groups: groups',
});

/** `routes[].identity`: what the upstream is told of who asks. */
export const identity = mapping({
  headers: headers.prefault({}).meta({ description: 'Names of the headers that tell who asks.' }),
  claims: claims.prefault({}).meta({
    description:
      'Further headers, each from one claim: its name, or the path to it such as `/realm_access/roles`.',
  }),
  preset: choice(['default', 'oauth2-proxy']).prefault('default').meta({
    description:
      '`oauth2-proxy`: `X-Forwarded-User`, `X-Forwarded-Email`, `X-Forwarded-Groups` and `X-Forwarded-Preferred-Username` instead of the defaults; others only where they are named.',
  }),
  assertion: assertion.optional().meta({
    description: 'A signed statement of who asks, which anyone can check; `{}` is enough.',
  }),
  subject: noted(claimName, { defaultSays: '`sub`' }).optional().meta({
    description:
      'The claim that goes into the header with the subject: its name, or the path to it. A token without it is refused. Rules, limits, sessions, audit and assertions go by `sub`.',
  }),
  anonymous: anonymous.optional().meta({
    description:
      'On open routes: what the header with the subject says. `session`: each session is a subject of its own; outside of sessions there is no header. Without it nothing is said.',
  }),
});
