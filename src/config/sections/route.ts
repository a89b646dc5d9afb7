import { z } from 'zod';

import { closest } from '../closest.ts';
import { hintForList } from '../hints.ts';
import { choice, flag, wholeNumber } from '../fields/choice.ts';
import { claimName } from '../fields/claim.ts';
import { duration } from '../fields/duration.ts';
import { list } from '../fields/list.ts';
import { browserOrigin } from '../fields/network.ts';
import { noted } from '../fields/notes.ts';
import { routePath } from '../fields/route-path.ts';
import { scope } from '../fields/scope.ts';
import { mapping } from '../fields/section.ts';
import { size } from '../fields/size.ts';
import { issuerTemplate, tenantName, tenantPattern, usualTenants } from '../fields/tenant.ts';
import { nameText } from '../fields/text.ts';
import { resource } from '../fields/web-address.ts';
import { audiences } from './authorization-server.ts';
import { dpop } from './dpop.ts';
import { identity } from './identity.ts';
import { policy, routeRate } from './policy.ts';
import { upstream } from './upstream.ts';

const scopes = list(scope, { expected: 'a list of scopes such as [github:read]', type: 'list of scopes' });

const scopesOrLive = noted(z.union([scopes, choice(['from-authorization-server'])]), {
  type: 'list of scopes, `from-authorization-server`',
  expected: 'a list of scopes such as [github:read], or from-authorization-server',
  hintFor: (found) => {
    if (typeof found !== 'string') return undefined;
    const near = closest(found, ['from-authorization-server']);
    return near === undefined ? hintForList(found) : `did you mean ${near}?`;
  },
});

const tenant = mapping({
  pattern: tenantPattern.prefault(usualTenants).meta({
    description:
      'What a tenant may look like, from its first character to its last: characters, classes and counts, without groups. Whatever it says, a tenant has letters, digits, `-`, `_` and single dots inside, at most 64.',
  }),
  issuer: issuerTemplate.optional().meta({
    description:
      "The issuer of every tenant, with `{tenant}` as one segment of its path. It stands in for the issuer of the route's one authorization server, whose other settings hold.",
  }),
  claim: claimName.optional().meta({ description: 'A claim that must be the tenant, besides the rest.' }),
  fixed: tenantName.optional().meta({ description: 'The only tenant that is served.' }),
});

const closeOnExpiry = noted(z.union([choice(['never']), duration()]), {
  type: 'duration, `never`',
  expected: 'a duration such as 30s, or never',
});

const streams = mapping({
  keepAlive: duration({ atLeast: '1s' }).prefault('25s').meta({
    description:
      'Silence after which a comment is sent into an event stream; some clients give up after 60 s.',
  }),
  idle: duration()
    .prefault('0s')
    .meta({ description: 'Silence after which a stream is closed; `0s`: never.' }),
  closeOnExpiry: closeOnExpiry
    .prefault('30s')
    .meta({ description: "Grace after the token's `exp` before its streams are closed." }),
});

const perPrincipal = mapping({
  calls: wholeNumber('a whole number of calls, at least 1', 1, 1_000_000)
    .prefault(100)
    .meta({ description: 'POST and DELETE requests under way at one time.' }),
  streams: wholeNumber('a whole number of streams, at least 1', 1, 1_000_000)
    .prefault(50)
    .meta({ description: 'GET requests open at one time: the streams on which the server speaks.' }),
});

const limits = mapping({
  body: size('1GiB')
    .prefault('4MiB')
    .meta({ description: 'Largest request body; bodies are held in memory.' }),
  streams: wholeNumber('a whole number of streams, at least 1', 1, 1_000_000)
    .prefault(1000)
    .meta({ description: 'Open requests and streams of the route at one time.' }),
  perPrincipal: perPrincipal.prefault({}).meta({
    description: 'Caps of each principal (issuer and subject) on the route; none on an open route.',
  }),
});

/** One entry of `routes`. */
export const route = mapping(
  {
    name: noted(nameText, { defaultSays: 'the path' })
      .optional()
      .meta({ description: 'How logs, metrics and clients call the route.' }),
    path: routePath.meta({
      description: 'Path below `publicUrl`, exact; one segment may be `{tenant}`. `/` is `publicUrl` itself.',
    }),
    default: flag.optional().meta({
      description:
        'Whether the bare well-known URL serves this route as well; implied for an only protected route.',
    }),
    resource: noted(resource, { defaultSays: '`publicUrl` + `path`' })
      .optional()
      .meta({ description: 'The resource identifier (RFC 8707) that clients ask tokens for.' }),
    access: choice(['required', 'optional', 'open']).prefault('required').meta({
      description:
        '`required`: a token on every request. `optional`: `policy` says what callers without one may do. `open`: none is asked for, anyone may use the route.',
    }),
    authorizationServers: noted(
      list(nameText, { expected: 'a list of names such as [corp]', type: 'list of names', atLeast: 1 }),
      { defaultSays: 'all' },
    )
      .optional()
      .meta({
        description:
          'Names of the authorization servers whose tokens are accepted, advertised in this order.',
      }),
    audiences: noted(audiences, { defaultSays: "the authorization server's" }).optional().meta({
      description: "Accepted values of `aud`, any of them, instead of the authorization servers' lists.",
    }),
    scopes: scopes.prefault([]).meta({ description: 'Scopes that every request needs.' }),
    challengeScopes: noted(scopesOrLive, { defaultSays: 'scopes' }).optional().meta({
      description:
        'Scopes that the first challenge asks for; `from-authorization-server`: all that the servers advertise.',
    }),
    scopesSupported: scopesOrLive.prefault([]).meta({
      description:
        "Scopes listed in the route's metadata (RFC 9728); `from-authorization-server`: taken live from the servers' own metadata.",
    }),
    discovery: choice(['on', 'off'])
      .prefault('on')
      .meta({ description: '`off`: no metadata, and a bare challenge.' }),
    tenant: tenant.optional().meta({ description: 'The tenants of a path with `{tenant}`, which needs it.' }),
    origins: list(browserOrigin, {
      expected: 'a list of origins such as [https://inspector.example.com]',
      type: 'list of origins',
    })
      .prefault([])
      .meta({
        description:
          'Pages that may call the route from a browser. A request from any other page is refused.',
      }),
    dpop: dpop.prefault('off').meta({
      description: 'Tokens bound to a key (RFC 9449); a word alone is short for `{ mode: WORD }`.',
    }),
    identity: identity.prefault({}).meta({ description: 'What the upstream is told of who asks.' }),
    policy: policy.optional().meta({
      description:
        'Rules that say which calls are allowed; the first that admits a call counts, and what none admits is refused. Without it every request with the scopes of the route is allowed.',
    }),
    hide: noted(flag, { defaultSays: '`true`, where there is a policy' }).optional().meta({
      description:
        'Whether what a caller is not admitted to looks to them as if it were not there: in answers to calls, and in lists. Answers of the upstream are looked through then, and may not be compressed.',
    }),
    rateLimit: routeRate
      .optional()
      .meta({ description: 'How many requests in which time; a batch counts by its messages.' }),
    limits: limits.prefault({}).meta({ description: 'Caps of the route.' }),
    streams: streams.prefault({}).meta({ description: 'Event streams.' }),
    upstream: upstream.meta({
      description: 'The MCP server; `upstream: URL` is short for `upstream: { url: URL }`.',
    }),
  },
  { expected: 'a mapping with path and upstream' },
);
