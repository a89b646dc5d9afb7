import { describe, expect, it } from 'vitest';

import { formatFaults } from '../faults.ts';
import { loadConfiguration } from '../load.ts';

function told(route: string, top = ''): string {
  const text = `publicUrl: https://mcp.example.com\nauthorizationServers: [{ issuer: https://a.example }]\nroutes:\n  - { path: /mcp, upstream: 'http://b', ${route} }\n${top}\n`;
  const loaded = loadConfiguration(text, { file: 'config.yaml', environment: {}, readFile: () => '' });
  return loaded.ok ? 'fine' : formatFaults('config.yaml', loaded.faults);
}

describe('limits', () => {
  it.each(['rateLimit: { requests: 10, per: 1m }', 'limits: { perPrincipal: { calls: 5 } }'])(
    '%s is fine',
    (route) => {
      expect(told(route)).toBe('fine');
    },
  );

  it('of principals on an open route are a fault', () => {
    expect(told('access: open, limits: { perPrincipal: { calls: 5 } }')).toContain(
      'routes[0].limits.perPrincipal: found perPrincipal on an open route',
    );
    expect(told('access: open, rateLimit: { requests: 10, per: 1m }')).toBe('fine');
  });

  it('of refusals are a fault where nothing is refused', () => {
    const limits = 'limits: { perAddress: { requests: 300, per: 1m } }';
    expect(told('access: open', limits)).toContain('limits.perAddress: found perAddress where every route');
    expect(told('access: required', limits)).toBe('fine');
  });

  it.each(['500ms', '1500ms', '2d', '0s'])('per %s is a fault', (per) => {
    expect(told(`rateLimit: { requests: 10, per: ${per} }`)).toContain('routes[0].rateLimit.per');
  });

  it.each([0, -1, 1.5])('of %s requests is a fault: nothing means without limit', (requests) => {
    expect(told(`rateLimit: { requests: ${requests}, per: 1m }`)).toContain('routes[0].rateLimit.requests');
  });
});
