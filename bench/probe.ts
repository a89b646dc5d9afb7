import { callHeaders, toolsAnswer, toolsCall } from './call.ts';

/** One call outside the measurement: what is answered? */
export async function probe(callee: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await fetch(callee.url, {
    method: 'POST',
    headers: { ...callHeaders, ...callee.headers },
    body: toolsCall,
    signal: AbortSignal.timeout(10_000),
  });
  return { status: answer.status, body: await answer.text() };
}

/** Throws unless the callee passes on exactly what the upstream says. */
export async function expectAnswer(callee: {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}): Promise<void> {
  const { status, body } = await probe(callee);
  if (status !== 200 || body !== toolsAnswer) throw new Error(`${callee.name} answered ${status}: ${body}`);
}
