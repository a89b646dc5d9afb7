/** A `fetch` for SDK clients that remembers what passed. */
export interface ExchangeRecord {
  readonly fetch: typeof globalThis.fetch;
  /** `POST /mcp 401` and so on, in the order of the answers; paths of the other origins in full. */
  readonly lines: readonly string[];
  readonly responses: readonly Response[];
}

export function recordExchanges(origin: string): ExchangeRecord {
  const lines: string[] = [];
  const responses: Response[] = [];
  return {
    lines,
    responses,
    async fetch(input, init) {
      const response = await fetch(input, init);
      const url = new URL(input instanceof Request ? input.url : input);
      lines.push(
        `${init?.method ?? 'GET'} ${url.origin === origin ? url.pathname : url.href} ${response.status}`,
      );
      responses.push(response);
      return response;
    },
  };
}
