import { describe, expect, it } from 'vitest';

import { formatFaults } from '../faults.ts';
import { loadConfiguration } from '../load.ts';

function load(upstream: string) {
  return loadConfiguration(
    `publicUrl: https://mcp.example.com
authorizationServers: [{ issuer: https://login.example.com }]
routes: [{ name: old, path: /sse, upstream: { url: http://bridge:8000/sse, ${upstream} } }]
`,
    { file: 'config.yaml', environment: {}, readFile: () => '' },
  );
}

function told(upstream: string): string {
  const loaded = load(upstream);
  return loaded.ok ? '' : formatFaults('config.yaml', loaded.faults);
}

describe('a legacy transport', () => {
  it('needs a word on processes, and the fault says why', () => {
    expect(told('transport: sse')).toContain(
      'routes[0].upstream.sharedProcess: found nothing, with transport: sse, expected isolated or accept-risk',
    );
    expect(told('transport: sse')).toContain('every answer to all who are connected');
  });

  it('starts with either word; the risk is told as a weakening', () => {
    for (const [word, weakened] of [
      ['isolated', []],
      ['accept-risk', ['routes[0].upstream.sharedProcess']],
    ] as const) {
      const loaded = load(`transport: sse, sharedProcess: ${word}`);
      expect(loaded.ok && loaded.configuration.weakenings.map(({ path }) => path)).toEqual(weakened);
    }
  });

  it.each(['sharedProcess: isolated', 'sseEndpoint: absolute'])(
    'has keys that say nothing without it: %s',
    (setting) => {
      expect(told(setting)).toContain('without transport: sse');
    },
  );
});
