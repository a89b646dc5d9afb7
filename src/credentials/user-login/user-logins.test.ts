import { describe, expect, it } from 'vitest';

import type { Authority } from '../../authorization-servers/authority.ts';
import type { FetchedMetadata } from '../../authorization-servers/metadata/fetch-metadata.ts';
import type { AuthorizationServer, Configuration, Route } from '../../config/configuration.ts';
import type { RecordStore } from '../../state/records/record-store.ts';
import { MemoryReplays } from '../../state/memory-replays.ts';
import type { Claim, ReplayStore } from '../../state/replay-store.ts';
import { LoginLinks } from './login-links.ts';
import type { Asking } from './login-seal.ts';
import { LoginSeal } from './login-seal.ts';
import type { PendingLogin } from '../oauth/login.ts';
import { UserLogins } from './user-logins.ts';

const issuer = 'https://login.example.com';
const server = { name: 'corp', issuers: [issuer] } as unknown as AuthorizationServer;
const route = {
  name: 'tools',
  authorizationServers: [server],
  upstream: { url: 'https://mcp.example.com/mcp', credentials: { kind: 'oauth', scope: 'user' } },
} as unknown as Route;
const login = [
  { authorizationServer: 'corp', clientId: 'gate', idTokenClaim: 'sub', accessTokenClaim: 'sub' },
];

type Members = Readonly<Record<string, unknown>>;

const usual: Members = {
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
};

function found(members: Members): FetchedMetadata {
  return { ok: true, metadata: { url: issuer, text: '', members } };
}

interface WorldOptions {
  readonly claimed?: Claim;
  readonly time?: { nowMs: number };
  readonly replays?: ReplayStore;
}

/** Starts of logins on a configuration that may have changed since the link was made. */
function world(
  metadata: () => Promise<FetchedMetadata>,
  changed: Partial<Configuration> = {},
  { claimed = 'new', time = { nowMs: 1_000_000 }, replays }: WorldOptions = {},
) {
  const clock = (): number => time.nowMs;
  const seal = new LoginSeal({ key: 'k'.repeat(32), previous: [] }, clock);
  const configuration = { publicUrl: 'https://gate.example.com', login, routes: [route], ...changed };
  const authority = { server, metadata: { get: metadata } } as unknown as Authority;
  const logins = new UserLogins({
    configuration,
    authorities: { of: () => authority },
    seal,
    records: {} as RecordStore,
    replays: replays ?? { claim: () => claimed, knowsSinceMs: 0 },
    clock,
    network: {},
  });
  const links = new LoginLinks({ publicUrl: configuration.publicUrl, login }, seal, clock);
  const principal = { issuer, subject: 'alice', claims: { sub: 'alice' } } as never;
  const ticket = new URL(links.urlFor(route, principal) ?? '').searchParams.get('ticket') ?? '';
  const startOn = (own: Route): ReturnType<UserLogins['start']> =>
    logins.start(new URL(links.urlFor(own, principal) ?? '').searchParams.get('ticket') ?? '');
  return { start: () => logins.start(ticket), startOn, logins, seal };
}

/** Somebody who was shown the question, by a link that always is the same. */
function askedUntil(endsAtMs: number): Asking {
  return {
    link: {
      id: '1',
      route: 'tools',
      upstream: route.upstream.url,
      person: { issuer, subject: 'alice' },
      proof: 'alice',
      endsAtMs,
    },
    pending: { url: 'https://vendor.example/auth?x=1' } as PendingLogin,
    form: 'f',
    endsAtMs,
  };
}

describe('a login in the browser', () => {
  it('goes to the server that knows the user, with PKCE, state and nonce', async () => {
    const told = await world(() => Promise.resolve(found(usual))).start();
    expect(told.is).toBe('redirect');
    const to = new URL(told.is === 'redirect' ? told.to : '');
    expect(`${to.origin}${to.pathname}`).toBe(`${issuer}/auth`);
    expect(Object.fromEntries(to.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'gate',
      redirect_uri: 'https://gate.example.com/.well-known/portcullis/login/identity/corp',
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^.{43}$/),
      nonce: expect.stringMatching(/^.{43}$/),
    });
  });

  it('is for one tenant, and the pattern decides whether there is one', async () => {
    const form = {
      ...route,
      path: '/{tenant}/mcp',
      resource: 'https://gate.example.com/{tenant}/mcp',
      resourceMetadataUrl: 'https://gate.example.com/x/{tenant}',
      tenant: { name: '{tenant}', pattern: /^[a-z]+$/ },
    } as unknown as Route;
    const { startOn } = world(() => Promise.resolve(found(usual)), { routes: [form] });
    const ofTenant = (name: string): Route => ({ ...form, tenant: { name, pattern: /x/ } });
    expect((await startOn(ofTenant('acme'))).is).toBe('redirect');
    for (const name of ['ACME', '{tenant}', '', 'a/b'])
      expect(await startOn(ofTenant(name))).toMatchObject({ refusal: { reason: 'login_link' } });
    expect(await startOn(route)).toMatchObject({ refusal: { reason: 'login_link' } });
  });

  it('waits for somebody else’s server with nineteen others, and no more', async () => {
    const answer = Promise.withResolvers<FetchedMetadata>();
    const { start } = world(() => answer.promise);
    const waiting = Array.from({ length: 20 }, start);
    expect(await start()).toMatchObject({ refusal: { reason: 'login_unavailable' } });
    answer.resolve(found(usual));
    for (const told of await Promise.all(waiting)) expect(told.is).toBe('redirect');
    expect((await start()).is).toBe('redirect');
  });

  it.each([
    'javascript:alert(1)',
    'http://login.example.com/auth',
    'data:text/html,x',
    'no address',
    undefined,
  ])('never opens %s', async (address) => {
    const { start } = world(() => Promise.resolve(found({ ...usual, authorization_endpoint: address })));
    expect(await start()).toMatchObject({ is: 'refused', refusal: { reason: 'login_unavailable' } });
  });

  it('doesn’t begin while the server can’t be asked', async () => {
    const failed: FetchedMetadata = { ok: false, failure: 'timeout', detail: 'silent' };
    expect(await world(() => Promise.resolve(failed)).start()).toMatchObject({
      refusal: { reason: 'login_unavailable', detail: 'silent' },
    });
  });

  it.each([
    '/.well-known/portcullis/login/identity/other',
    '/.well-known/portcullis/login/identity/CORP',
    '/.well-known/portcullis/login/identity/corp/',
    '/.well-known/portcullis/login/identity/',
    '/.well-known/portcullis/login/callback/corp',
  ])('doesn’t go on where another server sent the browser back to: %s', async (path) => {
    const { start, logins } = world(() => Promise.resolve(found(usual)));
    const told = await start();
    if (told.is !== 'redirect') throw new Error('it has not begun');
    const state = new URL(told.to).searchParams.get('state') ?? '';
    const parameters = new URLSearchParams({ state, error: 'access_denied' });
    expect(await logins.prove(told.held, { path, parameters })).toMatchObject({
      refusal: { reason: 'login_browser' },
    });
    const own = '/.well-known/portcullis/login/identity/corp';
    expect(await logins.prove(told.held, { path: own, parameters })).toMatchObject({
      refusal: { reason: 'login_declined' },
    });
  });

  it.each<[Claim, string, object]>([
    ['new', 'page', {}],
    ['seen', 'refused', { reason: 'login_link_used' }],
    ['full', 'refused', { reason: 'login_unavailable' }],
    ['unavailable', 'refused', { reason: 'login_unavailable' }],
  ])('goes on after the consent only where nobody used the link before: %s', async (claimed, is, refusal) => {
    const { logins, seal } = world(() => Promise.resolve(found(usual)), {}, { claimed });
    const answer = new URLSearchParams({ form: 'f', answer: 'allow' });
    const told = await logins.consent(seal.close('asking', askedUntil(2_000_000)), answer);
    expect(told).toMatchObject({ is, ...(is === 'refused' ? { refusal } : {}) });
    if (told.is === 'page') expect(told.page).toContain('0;url=https://vendor.example/auth?x=1');
  });

  it('is agreed to once by a link, until the last browser that opened it in time can be asked no more', async () => {
    const time = { nowMs: 1_000_000 };
    const replays = new MemoryReplays({ clock: () => time.nowMs });
    const { logins, seal } = world(() => Promise.resolve(found(usual)), {}, { time, replays });
    const minutes = (count: number): number => count * 60_000;
    const agree = (): ReturnType<UserLogins['consent']> => {
      const held = seal.close('asking', askedUntil(time.nowMs + minutes(1)));
      return logins.consent(held, new URLSearchParams({ form: 'f', answer: 'allow' }));
    };
    expect(await agree()).toMatchObject({ is: 'page' });
    // Ten minutes for the link, ten for the login, ten for the question.
    time.nowMs += minutes(29);
    expect(await agree()).toMatchObject({ refusal: { reason: 'login_link_used' } });
  });

  it.each<[string, Partial<Configuration>]>([
    ['the route is gone', { routes: [] }],
    ['`login` is gone', { login: [] }],
    [
      'the upstream has another address',
      { routes: [{ ...route, upstream: { ...route.upstream, url: 'https://other.example/mcp' } }] },
    ],
    [
      'all share one login',
      {
        routes: [
          { ...route, upstream: { ...route.upstream, credentials: { kind: 'oauth', scope: 'shared' } } },
        ] as unknown as readonly Route[],
      },
    ],
  ])('doesn’t begin where since then %s', async (_what, changed) => {
    const { start } = world(() => Promise.resolve(found(usual)), changed);
    expect(await start()).toMatchObject({ is: 'refused', refusal: { reason: 'login_link' } });
  });
});
