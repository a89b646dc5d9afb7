import type { RouteRateLimit } from '../config/configuration.ts';
import type { Rate, RateOf } from '../state/rates/rate.ts';
import type { Message } from '../vocabulary/call.ts';
import type { Read } from '../vocabulary/passage.ts';
import { addressKey } from './address-key.ts';
import { principalKey } from './principal-key.ts';
import { ToolNames } from './tool-names.ts';

export interface RateParts {
  readonly rateOf: (counted: RateOf) => Rate;
  /** Milliseconds. */
  readonly clock: () => number;
}

/** Who is counted, and where. */
export interface Caller {
  readonly rate: Rate;
  readonly key: string;
}

/** Callers by their token; without one by their address. */
export class CallerRates {
  readonly #principals: Rate;
  readonly #addresses: Rate;

  constructor(counted: Omit<RateOf, 'of'>, rateOf: RateParts['rateOf']) {
    this.#principals = rateOf({ ...counted, of: 'principals' });
    this.#addresses = rateOf({ ...counted, of: 'addresses' });
  }

  callerOf({ principal }: Pick<Read, 'principal'>, address: string | undefined): Caller {
    return principal === null
      ? { rate: this.#addresses, key: addressKey(address) }
      : { rate: this.#principals, key: principalKey(principal) };
  }
}

/**
 * Counts the requests of one route as its limit says, a batch by its messages. Answers for how many milliseconds there
 * is no room: 0 where all of them are within the limit.
 */
export type TakeRoute = (passage: Read, address: string | undefined) => number | Promise<number>;

export function routeRate(routeName: string, limit: RouteRateLimit, parts: RateParts): TakeRoute {
  const name = JSON.stringify([limit.key, routeName]);
  if (limit.key === 'route') {
    const rate = parts.rateOf({ name, limit, of: 'principals' });
    // Tenants don't know of each other: the calls of one must not shut out another.
    return (passage) => rate.take(passage.route.tenant?.name ?? '', countOf(passage));
  }
  const callers = new CallerRates({ name, limit }, parts.rateOf);
  if (limit.key === 'principal')
    return (passage, address) => {
      const { rate, key } = callers.callerOf(passage, address);
      return rate.take(key, countOf(passage));
    };
  const tools = new ToolNames({ perMs: limit.per, clock: parts.clock });
  return (passage, address) => takeTools(callers.callerOf(passage, address), passage, tools);
}

function countOf({ call }: Read): number {
  return call === null ? 1 : call.messages.length;
}

/** Whatever is no call of a tool counts together, as one tool of its own. */
function takeTools({ rate, key }: Caller, { call }: Read, tools: ToolNames): number | Promise<number> {
  const toolOf = (message: Message): string =>
    message.kind !== 'response' && message.method === 'tools/call' && message.target !== undefined
      ? tools.keyOf(key, message.target)
      : 'rest';
  const [first, ...others] = call?.messages ?? [];
  if (first === undefined) return rate.take(`${key}\nrest`, 1);
  if (others.length === 0) return rate.take(`${key}\n${toolOf(first)}`, 1);
  const counts = new Map<string, number>();
  for (const message of [first, ...others]) {
    const tool = toolOf(message);
    counts.set(tool, (counts.get(tool) ?? 0) + 1);
  }
  return longest([...counts].map(([tool, count]) => rate.take(`${key}\n${tool}`, count)));
}

/** One that is over its limit holds up all of a batch. */
export function longest(waits: readonly (number | Promise<number>)[]): number | Promise<number> {
  const known = waits.filter((wait) => typeof wait === 'number');
  const asked = waits.filter((wait) => wait instanceof Promise);
  const longestKnown = Math.max(0, ...known);
  return asked.length === 0
    ? longestKnown
    : Promise.all(asked).then((answers) => Math.max(longestKnown, ...answers));
}
