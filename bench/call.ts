/** The one call that every contestant is asked, about 200 bytes: a small `tools/call` (MCP 2025-06-18, Tools). */
export const toolsCall = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'get_forecast',
    arguments: { city: 'Lisbon', days: 3, units: 'metric', language: 'en', hourly: false },
    _meta: { progressToken: 'bench-000001' },
  },
});

/** What the upstream answers to it, about 200 bytes too. */
export const toolsAnswer = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: {
    content: [
      {
        type: 'text',
        text: 'Lisbon: today 24 °C and clear, tomorrow 22 °C with some cloud, then 19 °C and rain.',
      },
    ],
    isError: false,
    _meta: { servedBy: 'bench-upstream' },
  },
});

/** What a Streamable HTTP client sends with every POST (MCP 2025-06-18, Transports). */
export const callHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
};
