import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Route } from '../config/configuration.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { challengeStage } from './challenge.plugin.ts';

const route = {
  name: 'tools',
  discovery: 'off',
  challengeScopes: 'from-authorization-server',
} as unknown as Route;

let app: FastifyInstance;
let defects: (readonly [error: unknown, requestId: string])[];
let refused: (Refusal | null)[];
let lives: number;
let closed: number;

beforeEach(async () => {
  [defects, refused, lives, closed] = [[], [], 0, 0];
  app = fastify({ genReqId: () => 'r-1' });
  await app.register(challengeStage, {
    liveScopes: () => {
      lives += 1;
      return { glance: () => [] };
    },
    onDefect: (...told) => defects.push(told),
  });
  app.decorateRequest('passage', null);
  // The connections of `inject` can't be closed.
  app.addHook(
    'onRequest',
    async ({ raw }) => void Object.assign(raw.socket, { destroy: () => (closed += 1) }),
  );
  app.addHook('onResponse', async ({ refusal }) => void refused.push(refusal));
  app.get('/defect', async () => {
    throw new Error('out of order');
  });
  app.get('/login', (request, reply) => {
    request.passage = { stage: 'matched', route } as unknown as NonNullable<typeof request.passage>;
    request.messageId = '"m-1"';
    void reply.header('x-before', 7);
    reply.refuse({ kind: 'credentials-missing', reason: 'no_credentials' });
  });
  app.get('/late', (_request, reply) => {
    reply.raw.writeHead(200).write('begun ');
    reply.refuse({ kind: 'defect', reason: 'defect' });
    reply.raw.end('and ended');
  });
});

afterEach(async () => {
  await app.close();
});

describe('a refusal', () => {
  it('is answered with the id of the request and of its message, by the challenge of its route', async () => {
    for (let round = 0; round < 2; round += 1) {
      const answer = await app.inject('/login');
      expect([answer.statusCode, answer.headers['x-request-id'], answer.headers['www-authenticate']]).toEqual(
        [401, 'r-1', 'Bearer realm="tools"'],
      );
      expect(answer.json()).toMatchObject({ id: 'm-1', error: { code: 40100 } });
      expect(answer.headers['connection']).not.toBe('close');
    }
    expect(lives).toBe(1);
    expect(refused).toMatchObject([{ kind: 'credentials-missing' }, { kind: 'credentials-missing' }]);
  });

  it('is that of an unknown path where there is no route', async () => {
    const answer = await app.inject('/nowhere');
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([404, undefined]);
    expect(answer.json()).toMatchObject({ id: null });
    expect(refused).toEqual([{ kind: 'route-unknown', reason: 'no_such_route' }]);
  });

  it('is 500 for what a stage throws, and only we hear what it was', async () => {
    const answer = await app.inject('/defect');
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('order');
    expect(defects).toEqual([[new Error('out of order'), 'r-1']]);
    expect(refused).toEqual([{ kind: 'defect', reason: 'defect' }]);
  });

  it('ends the connection where the body may still be on its way, with the headers that were set before', async () => {
    const answer = await app.inject({ url: '/login', headers: { expect: '100-continue' } });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers).toMatchObject({
      connection: 'close',
      'x-before': '7',
      'x-request-id': 'r-1',
      'www-authenticate': 'Bearer realm="tools"',
      'content-length': String(answer.body.length),
    });
    expect(answer.json()).toMatchObject({ error: { code: 40100 } });
    expect(closed).toBe(1);
  });

  it('is kept, and not told, once the answer has begun', async () => {
    const answer = await app.inject('/late');
    expect([answer.statusCode, answer.body]).toEqual([200, 'begun and ended']);
    expect(refused).toEqual([{ kind: 'defect', reason: 'defect' }]);
  });
});
