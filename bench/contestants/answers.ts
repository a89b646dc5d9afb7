const eventCount = 20;
const toolCount = 500;

/** One answer in a stream: progress, and the result last. Event by event, about 170 bytes each. */
export const answerOfEvents: readonly string[] = Array.from({ length: eventCount }, (_, index) => {
  const message =
    index < eventCount - 1
      ? {
          method: 'notifications/progress',
          params: {
            progressToken: 'bench-000001',
            progress: index + 1,
            total: eventCount,
            message: 'reading the forecast of the next station',
          },
        }
      : { id: 1, result: { content: [{ type: 'text', text: 'Lisbon: 24 °C and clear.' }], isError: false } };
  return `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
});

/** What a list is asked for: names and schemas as generated servers have them, every other one of an area. */
export const answerOfTools = {
  jsonrpc: '2.0',
  id: 1,
  result: {
    tools: Array.from({ length: toolCount }, (_, index) => ({
      name: `${index % 2 === 0 ? 'area' : 'other'}${index % 50}_get_resource_${index}`,
      title: `Get resource ${index}`,
      description:
        'Gets a resource of the area by its "id", with all that belongs to it. Use it before changing anything.',
      inputSchema: {
        type: 'object',
        properties: {
          id: { type: 'string', description: 'The id of the resource' },
          fields: { type: 'array', items: { type: 'string' } },
          limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
        },
        required: ['id'],
        additionalProperties: false,
      },
      annotations: { readOnlyHint: true },
    })),
    ttlMs: 60_000,
    cacheScope: 'public',
  },
} as const;
