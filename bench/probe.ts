import type { Exchange } from './exchange.ts';

interface Callee {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly exchange: Exchange;
}

/** One exchange outside the measurement: what is answered? */
export async function probe({
  url,
  headers,
  exchange,
}: Callee): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await fetch(url, {
    method: exchange.method,
    headers: { ...exchange.headers, ...headers },
    ...(exchange.body === '' ? {} : { body: exchange.body }),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: answer.status, body: await answer.text() };
}

/** Throws unless the callee answers exactly as it has to: the bytes of the upstream, where it passes them on. */
export async function expectAnswer(callee: Callee & { readonly name: string }): Promise<void> {
  const { status, body } = await probe(callee);
  const { status: wanted, answer = body } = callee.exchange;
  if (status !== wanted || body !== answer)
    throw new Error(`${callee.name} answered ${status}: ${body.slice(0, 500)}`);
}
