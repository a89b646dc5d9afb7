/** What a reload takes away is left alone for good (O1). */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';

/** Long enough for several refreshes of keys that are good for a second. */
const lookMs = 4_000;

it(
  'O1: an authorization server that a reload takes out of the file is asked for keys no more, and those that stay are',
  { timeout: 60_000 },
  async () => {
    await using stays = await startIssuer({ algorithms: ['ES256'] });
    await using goes = await startIssuer({ algorithms: ['ES256'] });
    const text = (...servers: readonly (readonly [string, Issuer])[]): string => `authorizationServers:
${servers.map(([name, { url }]) => `  - { name: ${name}, issuer: '${url}', keys: { ttl: 1s, cooldown: 1s } }\n`).join('')}routes:
  - { path: /mcp, upstream: 'http://localhost:1' }
`;
    await using gateway = await startGateway(text(['stays', stays], ['goes', goes]));
    expect(await gateway.reload(text(['stays', stays]))).toBe('applied');
    const asked = ({ requests }: Issuer): number => requests.length;
    await eventually(
      'the server that is gone is left alone',
      async () => {
        const before = asked(goes);
        await sleep(lookMs);
        return asked(goes) === before;
      },
      40_000,
    );
    const before = [asked(stays), asked(goes)] as const;
    await sleep(lookMs);
    expect(asked(stays)).toBeGreaterThan(before[0]);
    expect(asked(goes)).toBe(before[1]);
  },
);
