import type { FastifyServerOptions } from 'fastify';

const compileNothing = (): never => {
  throw new Error('a route has a schema, and there is nothing to compile it with');
};

/**
 * For applications none of whose routes has a schema of Fastify's: its compilers, several megabytes of them, then needn't be in
 * memory. A route with one keeps the application from starting.
 */
export const noSchemas: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: compileNothing, buildSerializer: compileNothing },
};
