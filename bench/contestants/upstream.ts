// The MCP server of the bench, as lean as node:http allows; alone it is the contestant `direct`.
import { createServer } from 'node:http';

import { toolsAnswer } from '../call.ts';
import { serveUntilStopped } from './serve-until-stopped.ts';

const answer = Buffer.from(toolsAnswer);
const answerHeaders = { 'Content-Type': 'application/json', 'Content-Length': answer.length };

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, answerHeaders);
    response.end(answer);
  });
});
// Longer than any pause between two rounds, so that no contestant pays for an idle connection that closes.
server.keepAliveTimeout = 120_000;

serveUntilStopped(server);
