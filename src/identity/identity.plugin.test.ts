import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import fp from 'fastify-plugin';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Identity, Route } from '../config/configuration.ts';
import { readMessage } from '../mcp/read-message.ts';
import { admitted, anonymous, authenticated, matched, read } from '../vocabulary/passage.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import type { SessionDoor } from '../vocabulary/session.ts';
import type { Trace } from '../vocabulary/trace.ts';
import { sessionSubject } from './anonymous.ts';
import { Assertions } from './assertions.ts';
import { anonymousStage, identityStage } from './identity.plugin.ts';

const ada: Principal = {
  issuer: 'https://as.example',
  subject: 'ada',
  clientId: undefined,
  email: undefined,
  scopes: [],
  claims: {},
  authorizationServer: 'as',
  expiresAt: undefined,
};
const headers = { subject: 'X-Sub' };
const assertion = { header: 'X-Assertion', meta: true, ttl: 60_000 };

function routeOf(identity: Partial<Identity> = {}, over: Partial<Route> = {}): Route {
  return {
    name: 'r',
    access: 'required',
    identity: { headers, claims: [], ...identity },
    upstream: { url: 'http://up.example/mcp', requestHeaders: [] },
    ...over,
  } as unknown as Route;
}

let apps: FastifyInstance[];
let signed: number;
let signs: () => Promise<string>;

beforeEach(() => {
  [apps, signed] = [[], 0];
  signs = async () => {
    signed += 1;
    return 'h.p.s';
  };
});

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
});

interface World {
  readonly principal?: Principal | null;
  /** What the route turns out to be for this request, such as that of a tenant. */
  readonly passageRoute?: Route;
  readonly guardsMeta?: boolean;
  readonly isAdmitted?: boolean;
  readonly trace?: Trace;
  readonly session?: SessionDoor | null;
  /** JSON of the message; absent: a request without one. */
  readonly message?: string;
}

/** Both stages of this folder, and what they leave on requests. */
async function stagesOn(route: Route, world: World = {}) {
  const { principal = ada, passageRoute = route, guardsMeta = false, session = null, message } = world;
  const app = fastify();
  apps.push(app);
  await app.register(
    fp(
      (scope, _options, ready) => {
        scope
          .decorateRequest('passage', null)
          .decorateRequest('session', null)
          .decorateRequest('trace', null);
        scope.decorateReply('refuse', function refuse(refusal: Refusal): void {
          void this.code(400).send(refusal);
        });
        scope.addHook('onRequest', async (request) => {
          const from = matched(passageRoute);
          const who = principal === null ? anonymous(from) : authenticated(from, principal);
          const parsed = message === undefined ? null : readMessage(Buffer.from(message));
          if (parsed?.ok === false) throw new Error(parsed.refusal.reason);
          const passage = read(who, parsed);
          request.passage = world.isAdmitted === false ? passage : admitted(passage);
          request.trace = world.trace ?? null;
          request.session = session;
        });
        ready();
      },
      { name: 'mcp' },
    ),
  );
  await app.register(fp((_scope, _options, ready) => ready(), { name: 'sessions' }));
  const assertions = new Assertions({
    issuer: 'https://g.example',
    keys: { sign: () => signs() },
    clock: () => 0,
  });
  await app.register(identityStage, { route, assertions, guardsMeta });
  await app.register(anonymousStage, { route });
  app.get('/', async ({ upstreamHeaders, upstreamBody }) => ({
    headers: upstreamHeaders,
    body: upstreamBody?.toString() ?? null,
  }));
  return async (sent: Readonly<Record<string, string | string[]>> = {}) => {
    const answer = await app.inject({ url: '/', headers: { ...sent } });
    return answer.json<Readonly<Record<string, unknown>>>();
  };
}

/** Light requests have a `user-agent` of their own. */
const agent = ['user-agent', 'lightMyRequest'];
const passed = (...own: readonly string[]) => ({ headers: [...agent, ...own], body: null });

describe('the headers that go upstream', () => {
  it('are the client’s that may pass, then who asks', async () => {
    const ask = await stagesOn(routeOf());
    expect(await ask({ 'mcp-name': 'a', 'x-sub': 'evil', cookie: 'c' })).toEqual({
      headers: ['mcp-name', 'a', ...agent, 'X-Sub', 'ada'],
      body: null,
    });
    expect(await ask()).toEqual(passed('X-Sub', 'ada'));
  });

  it('are refused where a line that must be the only one isn’t', async () => {
    const ask = await stagesOn(routeOf());
    expect(await ask({ 'mcp-name': ['a', 'b'] })).toEqual({
      kind: 'request-malformed',
      reason: 'duplicate_header',
    });
  });

  it('are refused where a claim can’t be one', async () => {
    const bad = { ...ada, subject: 'a\nb', claims: {} };
    const refused = (detail: string) => ({ kind: 'identity-unusable', reason: 'identity_unusable', detail });
    expect(await (await stagesOn(routeOf(), { principal: bad }))()).toEqual(
      refused("claim sub can't be a header value"),
    );
    expect(await (await stagesOn(routeOf({ subject: 'uid' })))()).toEqual(
      refused("claim uid isn't there, or can't be a header value"),
    );
  });

  it('name the tenant of the path, where the route has a header for it', async () => {
    const named = { headers: { ...headers, tenant: 'X-Tenant' } };
    const tenant = { name: 'acme' } as NonNullable<Route['tenant']>;
    const ofTenant = routeOf(named, { tenant });
    expect(await (await stagesOn(routeOf(named), { passageRoute: ofTenant }))()).toEqual(
      passed('X-Sub', 'ada', 'X-Tenant', 'acme'),
    );
    expect(await (await stagesOn(routeOf(named)))()).toEqual(passed('X-Sub', 'ada'));
    expect(await (await stagesOn(routeOf(), { passageRoute: routeOf({}, { tenant }) }))()).toEqual(
      passed('X-Sub', 'ada'),
    );
  });

  it('carry the trace', async () => {
    const trace: Trace = { headers: ['traceparent', '00-1'], run: (send) => send() };
    expect(await (await stagesOn(routeOf(), { trace }))()).toEqual(
      passed('X-Sub', 'ada', 'traceparent', '00-1'),
    );
  });

  it('are a defect before the request was admitted', async () => {
    expect(await (await stagesOn(routeOf(), { isAdmitted: false }))()).toMatchObject({
      statusCode: 500,
      message: 'the identity stage needs an admitted request',
    });
  });
});

describe('nobody on an open route (A23)', () => {
  const open = (identity: Partial<Identity>) => routeOf(identity, { access: 'open' });
  const session: SessionDoor = { upstreamId: 's-1', begins: false, seal: (id) => id };

  it('has the one name that the route gives', async () => {
    const anyone = open({ anonymous: { static: 'any one' } });
    expect(await (await stagesOn(anyone, { principal: null }))()).toEqual(passed('X-Sub', 'any one'));
    const unnamed = open({ headers: {}, anonymous: { static: 'x' } });
    expect(await (await stagesOn(unnamed, { principal: null }))()).toEqual(passed());
    const closed = routeOf({ anonymous: { static: 'x' } });
    expect(await (await stagesOn(closed))()).toEqual(passed('X-Sub', 'ada'));
  });

  it('has a name for each session, once there is one', async () => {
    const route = open({ anonymous: 'session' });
    const who = { principal: null, session };
    expect(await (await stagesOn(route, who))()).toEqual(passed('X-Sub', sessionSubject('s-1', route)));
    const beginning = { ...session, upstreamId: undefined };
    expect(await (await stagesOn(route, { ...who, session: beginning }))()).toEqual(passed());
    const unnamed = open({ headers: {}, anonymous: 'session' });
    expect(await (await stagesOn(unnamed, who))()).toEqual(passed());
    const closed = routeOf({ anonymous: 'session' });
    expect(await (await stagesOn(closed, { session }))()).toEqual(passed('X-Sub', 'ada'));
    const plain = open({});
    expect(await (await stagesOn(plain, who))()).toEqual(passed());
  });

  it('is a defect before the session was looked at', async () => {
    const route = open({ anonymous: 'session' });
    expect(await (await stagesOn(route, { principal: null }))()).toMatchObject({
      statusCode: 500,
      message: 'the subject of a session needs an admitted request whose session was looked at',
    });
  });
});

describe('an assertion (N3, N4)', () => {
  const message = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}';
  const member = '"io.portcullis/assertion":"h.p.s"';

  it('goes into its header, and into _meta, and is signed once', async () => {
    const ask = await stagesOn(routeOf({ assertion }), { guardsMeta: true, message });
    for (let round = 0; round < 2; round += 1)
      expect(await ask({ 'x-assertion': 'evil' })).toEqual({
        headers: [...agent, 'X-Sub', 'ada', 'X-Assertion', 'h.p.s'],
        body: `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{${member}}}}`,
      });
    expect(signed).toBe(1);
  });

  it('stays out of _meta where the route doesn’t want it there', async () => {
    const plain = routeOf({ assertion: { ...assertion, meta: false } });
    const ask = await stagesOn(plain, { guardsMeta: true, message });
    expect(await ask()).toEqual(passed('X-Sub', 'ada', 'X-Assertion', 'h.p.s'));
  });

  it('of a client’s own is taken out on every route, where an upstream may look for one', async () => {
    const forged = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{${member}}}}`;
    const cleaned = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{}}}';
    const guarding = await stagesOn(routeOf(), { guardsMeta: true, message: forged });
    expect(await guarding()).toEqual({ ...passed('X-Sub', 'ada'), body: cleaned });
    const other = await stagesOn(routeOf(), { guardsMeta: false, message: forged });
    expect(await other()).toEqual(passed('X-Sub', 'ada'));
    const nobody = await stagesOn(routeOf({ assertion }, { access: 'optional' }), {
      principal: null,
      guardsMeta: true,
      message: forged,
    });
    expect(await nobody()).toEqual({ ...passed(), body: cleaned });
  });

  it('refuses a message that can’t carry it', async () => {
    const listed = '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}';
    const ask = await stagesOn(routeOf({ assertion }), { guardsMeta: true, message: listed });
    expect(await ask()).toEqual({ kind: 'message-refused', reason: 'shape', code: -32600 });
  });

  it('goes along with a request without a message', async () => {
    const ask = await stagesOn(routeOf({ assertion }), { guardsMeta: true });
    expect(await ask()).toEqual(passed('X-Sub', 'ada', 'X-Assertion', 'h.p.s'));
  });

  it('that can’t be signed ends the request', async () => {
    signs = async () => {
      throw new Error('no entropy');
    };
    expect(await (await stagesOn(routeOf({ assertion })))()).toMatchObject({
      statusCode: 500,
      message: 'no entropy',
    });
  });
});
