/** Preloaded (`--import`) into a bridge: tells on stderr which requests reach it, before it handles them. */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { writeReport } from './request-report.ts';

subscribe('http.server.request.start', (message) => {
  const { request } = message as { readonly request: IncomingMessage };
  const { method = '', url = '', rawHeaders } = request;
  process.stderr.write(writeReport({ method, target: url, rawHeaders }));
});
