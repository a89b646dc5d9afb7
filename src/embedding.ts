import type { FastifyInstance, FastifyPluginAsync } from 'fastify';

import type { RunningGateway } from './running/running-gateway.ts';

/** Besides what a program may have there itself. */
const wellKnown = [
  'oauth-protected-resource',
  'oauth-authorization-server',
  'openid-configuration',
  'portcullis',
];

/**
 * Mounts the gateway in another Fastify application: its routes and documents stand beside those of the program, at
 * the paths of the configuration. A request for them is handed over before the program's parsers could read its body;
 * only hooks for the whole application run before. Ends with the application.
 */
export function pluginFor(gateway: RunningGateway): FastifyPluginAsync {
  return async (scope) => {
    if (scope.prefix !== '')
      throw new Error(
        'register the gateway without a prefix: its paths are those of publicUrl and the routes',
      );
    await gateway.open();
    scope.addHook('onClose', () => gateway.close());
    const takesBoth = readsBothAsOne(scope);
    for (const url of [...gateway.urls].flatMap(withoutForeign)) {
      handOver(scope, url, gateway);
      const other = `${url.replace(/\/$/, '')}/`;
      if (!takesBoth && !url.endsWith('*') && !scope.hasRoute({ method: 'GET', url: other }))
        handOver(scope, other, gateway);
    }
  };
}

/** Whether a slash more at the end is the same URL to the program's router. */
function readsBothAsOne({ initialConfig }: FastifyInstance): boolean {
  const { ignoreTrailingSlash = false, routerOptions } = initialConfig;
  return routerOptions?.ignoreTrailingSlash ?? ignoreTrailingSlash;
}

function handOver(scope: FastifyInstance, url: string, gateway: Pick<RunningGateway, 'handle'>): void {
  scope.route({
    method: scope.supportedMethods,
    url,
    exposeHeadRoute: false,
    onRequest(request, reply) {
      reply.hijack();
      gateway.handle(request.raw, reply.raw);
    },
    handler() {
      throw new Error('the gateway answers before this handler');
    },
  });
}

function withoutForeign(url: string): readonly string[] {
  return url === '/.well-known/*'
    ? wellKnown.flatMap((name) => [`/.well-known/${name}`, `/.well-known/${name}/*`])
    : [url];
}
