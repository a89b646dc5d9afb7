import { faultOfArrival, statusesIn, subjectOf, subjectPrefix } from './answers.ts';
import { converse } from './converse.ts';
import type { Tally } from './target.ts';
import type { Arrival, WatchedGateway } from './watched-gateway.ts';

/** What one input becomes on the wire. */
export interface Sent {
  readonly pieces: readonly Buffer[];
  /** How many requests of it may reach the upstream. */
  readonly mayArrive: number;
}

/** What an input may show: the token of a subject that no other input of its time has. */
export interface Placeholders {
  readonly port: number;
  readonly token: string;
}

/** Statuses of the gateway's own that begin with a 5 and mean the request: 501 and 505 are for what no server speaks. */
const ofTheClient = new Set([501, 505]);

/**
 * Sends all inputs at one time, each over connections of its own. Where something was wrong behind the gateway, which can't be told
 * from outside whose it was, they go once more one by one.
 */
export async function judgeLive(
  inputs: readonly Buffer[],
  live: {
    readonly gateway: WatchedGateway;
    readonly tally: Tally;
    readonly sentFor: (input: Buffer, placeholders: Placeholders) => readonly Sent[];
  },
): Promise<readonly (string | undefined)[]> {
  const { gateway, tally, sentFor } = live;
  const { port } = gateway;
  const sent = inputs.map((input, at) => sentFor(input, { port, token: gateway.tokenOf(subjectAt(at)) }));
  const over = Promise.withResolvers<void>();
  const conversations = Promise.all(
    sent.map((all) => Promise.all(all.map(({ pieces }) => converse(gateway.port, pieces, over.promise)))),
  );
  await askPlainly(gateway).then(over.resolve, over.reject);
  const answers = await conversations;
  const arrivals = gateway.takeArrivals();
  const [defect] = gateway.takeDefects();
  const behind =
    arrivals.map(faultOfArrival).find((fault) => fault !== undefined) ??
    tooMany(arrivals, sent) ??
    (defect && `a defect: ${defect}`);
  if (behind !== undefined && inputs.length === 1) return [behind];
  if (behind !== undefined) {
    const each: (string | undefined)[] = [];
    for (const input of inputs) each.push(...(await judgeLive([input], live)));
    return each;
  }
  for (let arrived = plainRequests; arrived < arrivals.length; arrived += 1) tally.add('forwarded');
  return answers.map((all) => {
    const statuses = all.flatMap(statusesIn);
    for (const status of statuses) tally.add(String(status));
    if (statuses.length === 0) tally.add('no answer');
    const fault = statuses.find((status) => status >= 500 && !ofTheClient.has(status));
    return fault === undefined
      ? undefined
      : `a client brings about ${fault}: ${Buffer.concat(all.flat()).toString('latin1').slice(0, 300)}`;
  });
}

function subjectAt(place: number): string {
  return `${subjectPrefix}${place}`;
}

/** Counted by whom they are of: others' tokens that went nowhere don't make up for them. */
function tooMany(arrivals: readonly Arrival[], sent: readonly (readonly Sent[])[]): string | undefined {
  const counts = Map.groupBy(arrivals, subjectOf);
  const most = new Map(
    sent.map((all, at) => [subjectAt(at), all.reduce((sum, { mayArrive }) => sum + mayArrive, 0)]),
  ).set(plainSubject, plainRequests);
  const found = [...counts].find(([subject = '', all]) => all.length > (most.get(subject) ?? 0));
  return found && `more requests arrive than have a token: ${found[1].length} of ${found[0]}`;
}

const plainRequests = 2;
const plainSubject = `${subjectPrefix}plain`;

/** When these are answered, one after the other, all that was sent before them has been: no clock says how long that takes. */
async function askPlainly({ port, tokenOf }: WatchedGateway): Promise<void> {
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const head = `POST /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${tokenOf(plainSubject)}\r\nConnection: close`;
  const request = Buffer.from(
    `${head}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const never = new Promise<void>(() => {});
  for (let asked = 0; asked < plainRequests; asked += 1) {
    const answer = await converse(port, [request], never);
    if (!answer.toString('latin1').startsWith('HTTP/1.1 200 '))
      throw new Error(`a plain request is answered ${answer.toString('latin1')}`);
  }
}
