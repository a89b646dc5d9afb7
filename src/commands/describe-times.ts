import type { AuthorizationServer } from '../config/configuration.ts';

/** When the token ends, begins and was issued, seen from `nowMs`; what isn't a date is left to the check. */
export function describeTimes(
  claims: Readonly<Record<string, unknown>>,
  { leeway }: AuthorizationServer,
  nowMs: number,
): string {
  const words = [
    ['exp', 'expires'],
    ['nbf', 'begins'],
    ['iat', 'issued'],
  ] as const;
  const told = words.flatMap(([name, word]) => {
    const text = describeTime(claims[name], nowMs);
    return text === undefined ? [] : [`${word} ${text}`];
  });
  const times = told.length === 0 ? 'no times' : told.join(', ');
  return leeway === 0 ? times : `${times}, leeway ${leeway} s`;
}

/** Dates can hold no more: ECMA-262 §21.4.1.1. */
const latestMs = 8.64e15;

function describeTime(seconds: unknown, nowMs: number): string | undefined {
  if (typeof seconds !== 'number' || !(Math.abs(seconds * 1000) <= latestMs)) return undefined;
  const ahead = seconds - nowMs / 1000;
  const distance = ahead >= 0 ? `in ${describeSpan(ahead)}` : `${describeSpan(-ahead)} ago`;
  return `${new Date(seconds * 1000).toISOString()} (${distance})`;
}

function describeSpan(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
  ] as const;
  const [unit, size] = units.find(([, each]) => seconds >= 2 * each) ?? ['s', 1];
  return `${Math.floor(seconds / size)} ${unit}`;
}
