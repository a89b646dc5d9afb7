import { z } from 'zod';

import { choice } from '../fields/choice.ts';
import { duration } from '../fields/duration.ts';
import { passingHeader } from '../fields/header-name.ts';
import { list } from '../fields/list.ts';
import { noted } from '../fields/notes.ts';
import { mapping } from '../fields/section.ts';
import { endpoint, resource } from '../fields/web-address.ts';
import { upstreamCredentials } from './credentials.ts';
import { mutualTls } from './mutual-tls.ts';

const timeouts = mapping({
  connect: duration({ atLeast: '1ms', atMost: '10m' })
    .prefault('5s')
    .meta({ description: 'Until the connection stands.' }),
  headers: duration({ atLeast: '1ms' })
    .prefault('15m')
    .meta({ description: 'Until the answer begins; a slow tool needs it.' }),
  idle: duration()
    .prefault('0s')
    .meta({ description: 'Silence within an answer after which it is cut; `0s`: never.' }),
});

const headers = list(passingHeader, {
  expected: 'a list of header names such as [X-Request-Id]',
  type: 'list of header names',
});

const details = mapping({
  url: endpoint.meta({ description: 'Where the MCP server listens.' }),
  transport: choice(['streamable-http', 'sse']).prefault('streamable-http').meta({
    description: 'How it speaks MCP; `sse`: the HTTP with SSE of 2024-11-05, with `url` where its stream is.',
  }),
  sharedProcess: choice(['isolated', 'accept-risk']).optional().meta({
    description:
      'Required for `sse`: `isolated` says that each session has a process of its own; `accept-risk`, that people who share one may see each other’s answers.',
  }),
  sseEndpoint: choice(['relative', 'absolute']).prefault('relative').meta({
    description: 'For `sse`: form of the URL that tells clients where to post; some need `absolute`.',
  }),
  resource: resource.optional().meta({
    description: "The upstream's own resource URL; required for `passthrough`: the token must be for it too.",
  }),
  timeouts: timeouts.prefault({}).meta({ description: 'How long it may take.' }),
  tls: mutualTls.optional().meta({ description: 'How both sides prove themselves.' }),
  token: choice(['strip', 'passthrough']).prefault('strip').meta({
    description: "Whether the upstream sees the client's token. `credentials` take its place.",
  }),
  credentials: upstreamCredentials.optional().meta({ description: 'What the upstream wants to be shown.' }),
  requestHeaders: headers
    .prefault([])
    .meta({ description: 'Headers of the client that pass besides the built-in list.' }),
  responseHeaders: headers
    .prefault([])
    .meta({ description: 'Headers of the upstream that pass besides the built-in list.' }),
});

/** A URL alone is short for a mapping with it. */
const shortForm = endpoint.transform((url) => details.parse({ url }));

/** `routes[].upstream`: a URL, or a mapping. */
export const upstream = noted(z.union([shortForm, details]), {
  type: 'URL, mapping',
  expected: 'a URL such as http://localhost:8000/mcp, or a mapping with url',
});
