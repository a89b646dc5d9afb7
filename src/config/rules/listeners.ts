import type { Rule } from './rule.ts';

const everywhere = new Set(['0.0.0.0', '::']);

/** Two listeners can't share a port, and the one that loses it fails only after the start. */
export const distinctPorts: Rule = ({ listen = {}, ops = {} }, overrides) => {
  const open = { host: '0.0.0.0', port: 8080, ...defined(listen), ...overrides.listen };
  const inner = { host: '127.0.0.1', port: 9090, ...defined(ops), ...overrides.ops };
  const overlap = open.host === inner.host || everywhere.has(open.host) || everywhere.has(inner.host);
  if (!overlap || open.port !== inner.port || open.port === 0) return [];
  return [
    {
      path: ['ops', 'port'],
      found: String(inner.port),
      expected: 'another port than the public listener has',
    },
  ];
};

/** Host and port as far as they are known. */
function defined({
  host,
  port,
}: {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}): { host?: string; port?: number } {
  return { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
}
