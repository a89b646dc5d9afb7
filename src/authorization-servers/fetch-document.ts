import type { Fetch } from '../vocabulary/ports.ts';

export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maximumBytes: number;
}

export type Fetched =
  | { readonly ok: true; readonly document: unknown; readonly text: string }
  | { readonly ok: false; readonly detail: string };

/**
 * Fetches one JSON document of an authorization server: no redirects, no credentials, bounded in time and
 * size. Never rejects. `detail` says for the operator what was wrong.
 */
export async function fetchDocument(fetch: Fetch, url: string, limits: FetchLimits): Promise<Fetched> {
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { ok: false, detail: `${url} answered ${response.status}` };
    }
    const text = await readBounded(response, limits.maximumBytes);
    if (text === undefined)
      return { ok: false, detail: `${url} answered more than ${limits.maximumBytes} bytes` };
    return { ok: true, document: JSON.parse(text) as unknown, text };
  } catch (error) {
    if (signal.aborted) return { ok: false, detail: `${url} didn't answer within ${limits.timeoutMs} ms` };
    return { ok: false, detail: `${url}: ${describe(error)}` };
  }
}

async function readBounded(response: Response, maximumBytes: number): Promise<string | undefined> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    // A hostile server would fill our memory before the time-out. Leaving the loop cancels the body.
    if (size > maximumBytes) return undefined;
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

function describe(error: unknown): string {
  if (error instanceof SyntaxError) return 'not JSON';
  if (!(error instanceof Error)) return 'failed';
  const { cause } = error;
  const code =
    cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  return code ?? (cause instanceof Error ? cause.message : error.message);
}
