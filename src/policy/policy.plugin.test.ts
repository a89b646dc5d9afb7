import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fastify } from 'fastify';
import fp from 'fastify-plugin';
import { afterEach, beforeEach, expect, it } from 'vitest';

import type { Policy, PolicyRule, Route } from '../config/configuration.ts';
import { readMessage } from '../mcp/read-message.ts';
import { anonymous, matched, read } from '../vocabulary/passage.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { policyStage } from './policy.plugin.ts';

const echo: PolicyRule = { name: 'echo', tools: ['echo'], scopes: [] };
const routeOf = (policy?: Policy): Route =>
  ({
    name: 'r',
    access: 'open',
    scopes: [],
    upstream: { transport: 'streamable-http' },
    ...(policy === undefined ? {} : { policy }),
  }) as unknown as Route;

let apps: FastifyInstance[];

beforeEach(() => {
  apps = [];
});

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
});

interface Over {
  readonly isRead?: boolean;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

/** Asks for a tool, or without a message, and answers what the stage left on the request, or why it refused. */
async function asked(
  route: Route,
  tool: string | undefined,
  { isRead = true, headers = {}, method = 'tools/call' }: Over = {},
) {
  const app = fastify();
  apps.push(app);
  let kept: Pick<FastifyRequest, 'decision' | 'answerFilter' | 'passage'> | undefined;
  await app.register(
    fp(
      (scope, _options, ready) => {
        scope.decorateRequest('passage', null);
        scope.decorateReply('refuse', function refuse(refusal: Refusal): void {
          void this.code(400).send(refusal);
        });
        scope.addHook('onRequest', async (request) => {
          const message = readMessage(
            Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name: tool } })),
          );
          if (!message.ok) throw new Error(message.refusal.reason);
          const passage = anonymous(matched(route));
          request.passage = isRead ? read(passage, tool === undefined ? null : message) : passage;
        });
        ready();
      },
      { name: 'mcp' },
    ),
  );
  await app.register(policyStage, { route });
  app.get('/', async (request) => {
    kept = request;
    return { stage: request.passage?.stage };
  });
  app.addHook('onResponse', async (request) => {
    kept = request;
  });
  const told = (await app.inject({ url: '/', headers })).json<Readonly<Record<string, unknown>>>();
  return { told, decision: kept?.decision, answerFilter: kept?.answerFilter };
}

const admitted = { stage: 'admitted' };

it('a route without rules admits what was read, and decides nothing', async () => {
  expect(await asked(routeOf(), 'echo')).toEqual({ told: admitted, decision: null, answerFilter: null });
});

it('a route with rules admits what one of them does, and says which', async () => {
  const { told, decision, answerFilter } = await asked(routeOf({ rules: [echo], hide: true }), 'echo');
  expect([told, decision]).toEqual([admitted, { rule: 'echo', admittedBy: [] }]);
  const reader = { principal: null, route: routeOf() };
  expect([answerFilter?.shows('tools', 'echo', reader), answerFilter?.shows('tools', 'x', reader)]).toEqual([
    true,
    false,
  ]);
});

it('names the rules that admitted where one of them has a rate', async () => {
  const limited = { ...echo, rateLimit: {} } as PolicyRule;
  const other = { ...echo, name: 'other', tools: ['x'] };
  expect((await asked(routeOf({ rules: [other, limited], hide: true }), 'echo')).decision).toEqual({
    rule: 'echo',
    admittedBy: ['echo'],
  });
});

it('refuses what no rule admits, as if it weren’t there, or in so many words', async () => {
  const denied = (hide: boolean, headers = {}) =>
    asked(routeOf({ rules: [echo], hide }), 'x', { headers: { ...headers } });
  const refusal = { kind: 'call-denied', reason: 'call_denied', detail: 'no rule is about tools/call of x' };
  expect(await denied(true)).toEqual({
    told: { ...refusal, shownAs: 'unknown-tool' },
    decision: { admittedBy: [] },
    answerFilter: null,
  });
  expect((await denied(false)).told).toEqual({ ...refusal, shownAs: 'not-allowed' });
});

it('tells clients of MCP 2026-07-28 of a method in their own way', async () => {
  const unknown = async (revision: string): Promise<unknown> => {
    const over = { method: 'vendor/x', headers: { 'mcp-protocol-version': revision } };
    return (await asked(routeOf({ rules: [echo], hide: true }), 'x', over)).told['shownAs'];
  };
  expect(await unknown('2026-07-28')).toBe('unknown-method-modern');
  expect(await unknown('2025-11-25')).toBe('unknown-method');
});

it('leaves lists alone where names aren’t hidden', async () => {
  expect((await asked(routeOf({ rules: [echo], hide: false }), 'echo')).answerFilter).toBeNull();
});

it('lets requests without a message pass, whose lists are filtered all the same', async () => {
  const { told, decision, answerFilter } = await asked(routeOf({ rules: [], hide: true }), undefined);
  expect([told, decision]).toEqual([admitted, null]);
  expect(answerFilter).not.toBeNull();
});

it('is a defect before a request was read', async () => {
  const { told } = await asked(routeOf(), 'echo', { isRead: false });
  expect(told).toMatchObject({ statusCode: 500, message: 'the policy stage needs a request that was read' });
});
