// The MCP server of the bench, as lean as node:http allows; alone it is the contestant `direct`. It answers by what
// stands at the beginning of the message, and knows the sessions that it began.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

import { toolsAnswer } from '../call.ts';
import { answerOfEvents, answerOfTools } from './answers.ts';
import { serveUntilStopped } from './serve-until-stopped.ts';

const call = Buffer.from(toolsAnswer);
const tools = Buffer.from(JSON.stringify(answerOfTools));
const events = answerOfEvents.map((event) => Buffer.from(event));
const sessions = new Set<string>();

function answerJson(response: ServerResponse, answer: Buffer): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': answer.length });
  response.end(answer);
}

function beginSession(response: ServerResponse): void {
  const id = randomUUID();
  sessions.add(id);
  response.setHeader('Mcp-Session-Id', id);
  answerJson(response, call);
}

/** Each event by itself, in a turn of its own: what is sent at once would travel at once. */
function sendEvents(response: ServerResponse, index = 0): void {
  if (index === 0) response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  if (index === events.length) response.end();
  else {
    response.write(events[index]);
    setImmediate(sendEvents, response, index + 1);
  }
}

function answerFor(message: Buffer): (response: ServerResponse) => void {
  const beginning = message.toString('latin1', 0, 100);
  if (beginning.includes('"tools/list"')) return (response) => answerJson(response, tools);
  if (beginning.includes('"watch_forecast"')) return sendEvents;
  if (beginning.includes('"initialize"')) return beginSession;
  return answerCall;
}

const answerCall = (response: ServerResponse): void => answerJson(response, call);

const server = createServer((request, response) => {
  let answer = answerCall;
  const session = request.headers['mcp-session-id'];
  const isLost = typeof session === 'string' && !sessions.has(session);
  request.once('data', (chunk: Buffer) => (answer = answerFor(chunk)));
  request.on('end', () => {
    if (isLost) response.writeHead(404).end();
    else answer(response);
  });
});
// Longer than any pause between two rounds, so that no contestant pays for an idle connection that closes.
server.keepAliveTimeout = 120_000;

serveUntilStopped(server);
