/**
 * A web application on an origin of its own: the page of `browser-page.js`, and SDK v2 as it stands in node_modules.
 * `/blank` runs nothing. An import map leads the browser to each package's browser build, so nothing is bundled.
 */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { closeServer, host, listenOnLoopback } from './loopback.ts';

export interface PageServer extends AsyncDisposable {
  readonly origin: string;
  close(): Promise<void>;
}

const packages = new URL('../../node_modules/', import.meta.url);
const script = new URL('browser-page.js', import.meta.url);

/** What the SDK imports by name. */
const imported = [
  '@modelcontextprotocol/client',
  '@modelcontextprotocol/client/_shims',
  '@modelcontextprotocol/core',
  '@modelcontextprotocol/core/internal',
  'eventsource',
  'eventsource-parser',
  'eventsource-parser/stream',
  'jose',
  'pkce-challenge',
  'zod/v4',
];

export async function startPageServer(): Promise<PageServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://page');
    if (pathname === '/' || pathname === '/callback') answer(response, 'text/html', page());
    else if (pathname === '/blank') answer(response, 'text/html', '<!doctype html><title>Blank</title>');
    else if (pathname === '/page.js') answer(response, 'text/javascript', readFileSync(script));
    else if (pathname.startsWith('/node_modules/')) answerModule(response, pathname);
    else response.writeHead(404).end();
  });
  const port = await listenOnLoopback(server);
  const close = (): Promise<void> => closeServer(server);
  return { origin: `http://${host}:${port}`, close, [Symbol.asyncDispose]: close };
}

function answer(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body);
}

/** The URL parser has taken the dots out of the path, so it stays below node_modules. */
function answerModule(response: ServerResponse, pathname: string): void {
  const file = new URL(`.${pathname}`, new URL('..', packages));
  if (['.js', '.mjs'].includes(extname(pathname))) answer(response, 'text/javascript', readFileSync(file));
  else response.writeHead(404).end();
}

function page(): string {
  const imports = Object.fromEntries(imported.map((name) => [name, browserBuild(name)]));
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Page</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<body><script type="module" src="/page.js"></script></body></html>`;
}

/** The path that a bundler for browsers would resolve a package's name to. */
function browserBuild(name: string): string {
  const [, owner = '', path = ''] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(name) ?? [];
  const { exports } = JSON.parse(readFileSync(new URL(`${owner}/package.json`, packages), 'utf8')) as {
    readonly exports: Readonly<Record<string, Target>>;
  };
  const target = exports[`.${path}`];
  const file = target === undefined ? undefined : chosen(target);
  if (file === undefined) throw new Error(`${name} has no build for browsers`);
  return `/node_modules/${owner}/${file.slice('./'.length)}`;
}

type Target = string | { readonly [condition: string]: Target };

/** The first condition that fits, in the order of the package (Node, "Conditional exports"). */
function chosen(target: Target): string | undefined {
  if (typeof target === 'string') return target;
  for (const [condition, inner] of Object.entries(target)) {
    if (!['browser', 'import', 'default'].includes(condition)) continue;
    const found = chosen(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
