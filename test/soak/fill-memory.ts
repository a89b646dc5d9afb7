import { Pool } from 'undici';

import type { SoakWorld } from './world.ts';

/** As many as the gateway remembers, and some more. */
const tokens = 10_500;
const atOneTime = 20;

/**
 * Shows so many tokens that the gateway's memory of signatures is full: what it gains by each further one is then lost by
 * another, and doesn't look like a leak.
 */
export async function fillMemory({ port, people: [steady] }: SoakWorld): Promise<void> {
  const pool = new Pool(`http://localhost:${port}`, { connections: atOneTime });
  let left = tokens;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { body } = await pool.request({
        method: 'DELETE',
        path: '/mcp',
        headers: { authorization: `Bearer ${steady.issuer.token()}` },
      });
      await body.dump();
    }
  };
  await Promise.all(Array.from({ length: atOneTime }, worker));
  await pool.destroy();
}
