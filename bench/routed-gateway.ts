import type { Contestant, Ground } from './contestants/contestant.ts';
import { startGatewayWith } from './contestants/gateway.ts';
import type { Exchange } from './exchange.ts';

/** A gateway with a route for each feature that is compared with its absence. */
export interface RoutedGateway extends AsyncDisposable {
  /** The default route, or another one, asked something, under a name for the table. */
  readonly entrant: (name: string, path: RoutedPath, exchange: Exchange) => Promise<Contestant>;
}

export type RoutedPath = '/mcp' | '/open' | '/ruled' | '/listed';

export const ruleCount = 50;

export async function startRoutedGateway(ground: Ground): Promise<RoutedGateway> {
  const upstream = `upstream: '${ground.upstreamUrl}'`;
  const gateway = await startGatewayWith(ground, {
    routes: [
      `{ path: /open, access: open, ${upstream} }`,
      `{ path: /ruled, ${upstream}, policy: [${rulesOfCalls().join(', ')}] }`,
      `{ path: /listed, ${upstream}, policy: [${rulesOfLists().join(', ')}] }`,
    ],
  });
  return {
    async entrant(name, path, exchange) {
      const url = gateway.url.replace(/\/mcp$/, path);
      const headers = { Authorization: `Bearer ${await gateway.issuer.mintToken(url)}` };
      return { ...gateway, name, url, headers, exchange };
    },
    [Symbol.asyncDispose]: () => gateway.stop(),
  };
}

/** The last one admits the call, by a pattern and a condition. */
function rulesOfCalls(): readonly string[] {
  const others = Array.from(
    { length: ruleCount - 1 },
    (_, index) =>
      `{ name: team-${index}, tools: ['team${index}_*', '*_of_${index}'], scopes: ['team:${index}'] }`,
  );
  const condition =
    'call.arguments.days <= 7.0 && call.arguments.city != "" && principal.subject != "nobody"';
  return [...others, `{ name: forecasts, tools: ['get_*'], when: '${condition}' }`];
}

/** Every other tool of the list is one of these; the last rule has a condition. */
function rulesOfLists(): readonly string[] {
  return Array.from({ length: ruleCount }, (_, index) => {
    const when = index === ruleCount - 1 ? `, when: 'principal.subject != "nobody"'` : '';
    return `{ name: area-${index}, tools: ['area${index}_*']${when} }`;
  });
}
