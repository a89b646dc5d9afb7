import { Pool } from 'undici';

import { callHeaders, toolsAnswer, toolsCall } from '../call.ts';
import type { GatewayContestant } from '../contestants/gateway.ts';
import { connections } from '../load/load.ts';

/** Callers of several replicas, in turn. */
export interface Clients {
  /** Begins so many sessions; rejects where one wasn't begun. */
  readonly begin: (count: number) => Promise<void>;
  /** Calls without pause, each time at the next replica; with the sessions in turn, each at every replica, or with none. */
  readonly call: (
    sessions: 'in turn' | 'none',
    seconds: number,
  ) => Promise<{ readonly answered: number; readonly errors: number }>;
  readonly close: () => Promise<void>;
}

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  },
});

export function openClients(replicas: readonly GatewayContestant[]): Clients {
  const pools = replicas.map(({ url }) => new Pool(new URL(url).origin, { connections }));
  const headers = { ...callHeaders, ...replicas[0]?.headers, 'MCP-Protocol-Version': '2025-06-18' };
  const sessions: string[] = [];
  let turn = 0;

  async function ask(body: string, session: string | undefined) {
    const own = session === undefined ? headers : { ...headers, 'Mcp-Session-Id': session };
    const pool = pools[turn++ % pools.length];
    if (pool === undefined) throw new Error('there is no replica');
    const answer = await pool.request({ path: '/mcp', method: 'POST', headers: own, body });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  }

  return {
    async begin(count) {
      while (sessions.length < count) {
        const { status, headers: given } = await ask(initialize, undefined);
        const id = given['mcp-session-id'];
        if (status !== 200 || typeof id !== 'string')
          throw new Error(`a session was answered ${status} and id ${String(id)}`);
        sessions.push(id);
      }
    },
    async call(which, seconds) {
      const until = performance.now() + seconds * 1000;
      let [answered, errors] = [0, 0];
      const work = async (): Promise<void> => {
        while (performance.now() < until) {
          const session = sessions[Math.floor(turn / pools.length) % sessions.length];
          const { status, text } = await ask(toolsCall, which === 'none' ? undefined : session);
          if (status === 200 && text === toolsAnswer) answered += 1;
          else errors += 1;
        }
      };
      await Promise.all(Array.from({ length: connections }, work));
      return { answered, errors };
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}
