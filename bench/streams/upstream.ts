// The MCP server of `npm run bench:streams`: POST is answered at once; GET opens an event stream, silent or not by path.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

import { toolsAnswer } from '../call.ts';
import { serveUntilStopped } from '../contestants/serve-until-stopped.ts';
import { bulkBytes, tickMillis } from './paths.ts';

const answer = Buffer.from(toolsAnswer);
const answerHeaders = { 'Content-Type': 'application/json', 'Content-Length': answer.length };
const bulkEvent = Buffer.from(`data: ${'x'.repeat(64 * 1024 - 8)}\n\n`);

/** Events that tell when they were sent, by the monotonic clock that all processes share. */
function tick(response: ServerResponse): void {
  const timer = setInterval(() => response.write(`data: ${process.hrtime.bigint()}\n\n`), tickMillis);
  response.on('close', () => clearInterval(timer));
}

async function sendBulk(response: ServerResponse): Promise<void> {
  const left = once(response, 'close');
  for (let sent = 0; sent < bulkBytes && !response.destroyed; sent += bulkEvent.length) {
    if (!response.write(bulkEvent)) await Promise.race([once(response, 'drain'), left]);
  }
  response.end();
}

const server = createServer((request, response) => {
  request.resume();
  if (request.method === 'GET') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    response.flushHeaders();
    if (request.url === '/ticks') tick(response);
    if (request.url === '/bulk') void sendBulk(response);
    return;
  }
  request.on('end', () => {
    response.writeHead(200, answerHeaders);
    response.end(answer);
  });
});
server.keepAliveTimeout = 120_000;

serveUntilStopped(server);
