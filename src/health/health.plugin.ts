import type { FastifyPluginCallback } from 'fastify';

export interface HealthOptions {
  readonly version: string;
  readonly notReady: () => 'starting' | 'stopping' | undefined;
  /** Text in Prometheus' exposition format, and its media type. */
  readonly metrics: () => Promise<{ readonly text: string; readonly type: string }>;
}

/** The ops listener: alive, ready, metrics. It stands apart from the public one and writes no access log. */
export const health: FastifyPluginCallback<HealthOptions> = (app, { version, notReady, metrics }, ready) => {
  app.get('/healthz', () => ({ status: 'ok', version }));
  app.get('/readyz', (_request, reply) => {
    const reason = notReady();
    return reply.code(reason === undefined ? 200 : 503).send({ status: reason ?? 'ready', version });
  });
  app.get('/metrics', async (_request, reply) => {
    const { text, type } = await metrics();
    return reply.type(type).send(text);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ status: 'not found' }));
  ready();
};
