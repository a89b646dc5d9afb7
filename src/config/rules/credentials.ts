import { quote } from '../describe.ts';
import type { RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import { normaliseHeader, whyNoCredentialHeader, whyNoRequestHeader } from '../fields/header-name.ts';
import type { Finding } from '../finding.ts';
import type { Path } from '../path.ts';
import { identityHeaders } from './headers.ts';
import { faultsOfAskedName } from './named-server.ts';
import type { Rule } from './rule.ts';

type Upstream = Exclude<NonNullable<RouteDraft['upstream']>, string>;
type Credentials = NonNullable<Upstream['credentials']>;

interface Wanted {
  readonly route: RouteDraft;
  readonly index: number;
  readonly credentials: Credentials;
  readonly path: Path;
}

function eachOf(
  draft: Parameters<Rule>[0],
  look: (wanted: Wanted) => readonly Finding[],
): readonly Finding[] {
  return entriesOf(draft.routes).flatMap(([index, route]) => {
    const credentials = typeof route.upstream === 'object' ? route.upstream.credentials : undefined;
    if (typeof credentials !== 'object') return [];
    return look({ route, index, credentials, path: ['routes', index, 'upstream', 'credentials'] });
  });
}

/** A header that credentials travel in, and where the file names it. */
interface Carrier {
  readonly path: Path;
  readonly name: string;
}

function carriersOf({ credentials, path }: Wanted): readonly Carrier[] {
  if ('static' in credentials) {
    const name = credentials.static?.header;
    return name === undefined ? [] : [{ path: [...path, 'static', 'header'], name }];
  }
  if (!('headers' in credentials)) return [];
  return entriesOf(credentials.headers).flatMap(([item, { to }]) =>
    to === undefined ? [] : [{ path: [...path, 'headers', item, 'to'], name: to }],
  );
}

/** Credentials have headers of their own: what else travels there, and whoever else writes it, could be taken for them. */
export const usableCredentialHeaders: Rule = (draft) =>
  eachOf(draft, (wanted) => {
    const identity = new Set(
      identityHeaders(wanted.route, wanted.index).map(({ name }) => normaliseHeader(name)),
    );
    const seen = new Set<string>();
    return carriersOf(wanted).flatMap(({ path, name }): readonly Finding[] => {
      const plain = normaliseHeader(name);
      const why = identity.has(plain)
        ? 'the header that tells who asks'
        : seen.has(plain)
          ? 'a header that other credentials of the route travel in'
          : whyNoCredentialHeader(name);
      seen.add(plain);
      return why === undefined
        ? []
        : [
            {
              path,
              found: quote(name),
              expected: 'a header for credentials, such as Authorization',
              hint: `${name} is ${why}`,
            },
          ];
    });
  });

/** A client's own line beside the configured one would be read in its place. */
export const credentialHeadersAreNotPassed: Rule = (draft) =>
  eachOf(draft, (wanted) => {
    const names = new Set(carriersOf(wanted).map(({ name }) => normaliseHeader(name)));
    const passed =
      typeof wanted.route.upstream === 'object' ? (wanted.route.upstream.requestHeaders ?? []) : [];
    return [...passed.entries()].flatMap(([item, name]): readonly Finding[] =>
      name === undefined || !names.has(normaliseHeader(name))
        ? []
        : [
            {
              path: [...wanted.path.slice(0, -1), 'requestHeaders', item],
              found: quote(name),
              expected: 'a header that credentials do not travel in',
              hint: 'the gateway writes it; a client could write another',
            },
          ],
    );
  });

/** The client's token for the gateway is in `Authorization`, unless nobody asks for one. */
export const usableInboundHeaders: Rule = (draft) =>
  eachOf(draft, ({ route, credentials, path }) => {
    if (!('headers' in credentials)) return [];
    return entriesOf(credentials.headers).flatMap(([item, { from }]): readonly Finding[] => {
      if (from === undefined) return [];
      const isFree = route.access === 'open' && normaliseHeader(from) === 'authorization';
      const why = isFree ? undefined : whyNoRequestHeader(from);
      return why === undefined
        ? []
        : [
            {
              path: [...path, 'headers', item, 'from'],
              found: quote(from),
              expected: 'a header of the client such as X-Api-Key',
              hint: `${from} is ${why}`,
            },
          ];
    });
  });

export const exchangeHasAServer: Rule = (draft) =>
  eachOf(draft, ({ credentials, path }) =>
    faultsOfAskedName(draft, {
      path: [...path, 'tokenExchange', 'authorizationServer'],
      name: 'tokenExchange' in credentials ? credentials.tokenExchange?.authorizationServer : undefined,
      why: 'its metadata says where tokens are exchanged',
    }),
  );

export const exchangeHasATokenToExchange: Rule = (draft) =>
  eachOf(draft, ({ route, credentials, path }): readonly Finding[] => {
    if (!('tokenExchange' in credentials)) return [];
    const at = { path: [...path, 'tokenExchange'], at: 'key' as const };
    if (route.access === 'open')
      return [
        {
          ...at,
          found: 'tokenExchange on an open route',
          expected: 'access: required, or other credentials',
          hint: 'there is no token of the client that could be exchanged',
        },
      ];
    if (route.tenant?.issuer === undefined) return [];
    return [
      {
        ...at,
        found: 'tokenExchange on a route whose tenants have issuers of their own',
        expected: 'other credentials, or tenants of one issuer',
        hint: 'one server would be shown the tokens of all tenants',
      },
    ];
  });

/** A provider is a part of the program that runs the gateway; the gateway's own program has none. */
export function unknownProviders(
  draft: Parameters<Rule>[0],
  injected: readonly string[],
): readonly Finding[] {
  return eachOf(draft, ({ credentials, path }): readonly Finding[] => {
    const name = 'provider' in credentials ? credentials.provider : undefined;
    if (name === undefined || injected.includes(name)) return [];
    return [
      {
        path: [...path, 'provider'],
        found: `${quote(name)}, which isn't injected`,
        expected: injected.length === 0 ? 'credentials of another kind' : `one of ${injected.join(', ')}`,
        hint: 'a program that embeds the gateway injects providers by createGateway(config, { credentials })',
      },
    ];
  });
}
