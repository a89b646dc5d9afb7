import { describe, expect, it } from 'vitest';

import { formatFaults } from './faults.ts';
import { loadConfiguration } from './load.ts';

function faultsOf(text: string, environment: Readonly<Record<string, string>> = {}) {
  const readFile = (path: string): string => {
    if (path === '/etc/portcullis/notes.txt') return 'not a certificate\n';
    if (path === '/etc/portcullis/empty.txt') return '\n';
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  };
  const loaded = loadConfiguration(text, { file: '/etc/portcullis/config.yaml', environment, readFile });
  return loaded.ok ? [] : loaded.faults;
}

/** A file that is fine but for one place: lines 1 to 3, then what a server and a route need. */
function withServer(...lines: readonly string[]): string {
  return [
    'publicUrl: https://mcp.example.com',
    'routes: [{ path: /mcp, upstream: "http://localhost:8000/mcp" }]',
    'authorizationServers:',
    '  - issuer: https://login.example.com/realms/corp',
    ...lines.map((line) => `    ${line}`),
    '',
  ].join('\n');
}

function withRoute(...lines: readonly string[]): string {
  return [
    'publicUrl: https://mcp.example.com',
    'authorizationServers: [{ name: corp, issuer: https://login.example.com/realms/corp }]',
    'routes:',
    '  - path: /mcp',
    ...lines.map((line) => `    ${line}`),
    ...(lines.some((line) => line.startsWith('upstream:'))
      ? []
      : ['    upstream: http://localhost:8000/mcp']),
    '',
  ].join('\n');
}

function withTop(...lines: readonly string[]): string {
  return [
    'publicUrl: https://mcp.example.com',
    'authorizationServers: [{ name: corp, issuer: https://login.example.com/realms/corp }]',
    'routes: [{ path: /mcp, upstream: "http://localhost:8000/mcp" }]',
    ...lines,
    '',
  ].join('\n');
}

/** What was done, the file, the line of the only fault, and what the two lines about it say. */
type Mistake = readonly [what: string, text: string, line: number, ...says: readonly string[]];

const inTheForm: readonly Mistake[] = [
  ['leaves the file empty', '', 1, 'an empty file'],
  ['leaves only comments', '# nothing\n', 1, 'an empty file'],
  [
    'indents with a tab',
    'publicUrl: https://a.example\nlisten:\n\tport: 8080\n',
    3,
    'a tab in the indentation',
    'spaces',
  ],
  [
    'forgets a closing quote',
    'ops: { port: 0 }\npublicUrl: "https://a.example\nroutes: []\n',
    2,
    'the closing quote',
  ],
  [
    'forgets a closing bracket',
    'hosts: [a.example\nroutes: []\n',
    2,
    'a bracket [ or { above may not be closed',
  ],
  [
    'forgets the space after a colon',
    'publicUrl:https://a.example\nroutes: []\n',
    1,
    'a key without a value',
    'space after a colon',
  ],
  [
    'indents a key too far',
    'publicUrl: https://a.example\n  hosts: [a]\n',
    1,
    'indentation of the next line',
  ],
  ['indents a key too little', '  publicUrl: https://a.example\nroutes: []\n', 2, 'check the indentation'],
  ['begins a text with @', 'publicUrl: @home\n', 1, 'the text in quotes'],
  ['puts two documents into the file', `${withTop()}---\nroutes: []\n`, 4, 'a second YAML document'],
  ['uses a tag', withTop('log: !custom { level: info }'), 4, 'a tag', 'write the plain value'],
  ['writes a list', '- publicUrl: https://a.example\n', 1, 'found a list, expected a mapping with publicUrl'],
  ['writes a sentence', 'hello\n', 1, 'expected a mapping with publicUrl'],
  [
    'repeats a key',
    withTop('log: { level: info }', 'log: { level: warn }'),
    5,
    'a second key "log"',
    'line 4 already',
  ],
  ['uses a number as a key', withTop('8080: true'), 4, 'a key that is no text'],
];

const inTheKeys: readonly Mistake[] = [
  [
    'misspells a key',
    withTop('lisen: { port: 1 }'),
    4,
    'lisen: found an unknown key',
    'did you mean listen?',
  ],
  ['writes scope for scopes', withRoute('scope: [a]'), 5, 'did you mean scopes? scope is a key of'],
  ['writes a key with an underscore', withRoute('challenge_scopes: [a]'), 5, 'did you mean challengeScopes?'],
  [
    'misspells a required key',
    'publicURL: https://mcp.example.com\nauthorizationServers: [{ issuer: https://a.example }]\nroutes: [{ path: /, upstream: "http://b" }]\n',
    1,
    'publicURL: found an unknown key',
    'did you mean publicUrl?',
  ],
  [
    'puts the issuer on top',
    withTop('issuer: https://login.example.com'),
    4,
    'issuer is a key of authorizationServers[]',
  ],
  [
    'puts the time-outs beside the upstream',
    withRoute('timeouts: { connect: 5s }'),
    5,
    'timeouts is a key of routes[].upstream',
  ],
  [
    'forgets publicUrl',
    'authorizationServers: [{ issuer: https://a.example }]\nroutes: [{ path: /, upstream: "http://b" }]\n',
    1,
    'publicUrl: found nothing',
  ],
  [
    'forgets the path of a route',
    withTop().replace('path: /mcp, ', ''),
    3,
    'routes[0].path: found nothing',
    'a path such as /mcp',
  ],
  [
    'forgets the upstream',
    'publicUrl: https://a.example\nauthorizationServers: [{ issuer: https://a.example }]\nroutes:\n  - path: /mcp\n',
    4,
    'routes[0].upstream: found nothing',
    'a URL such as http://localhost:8000/mcp',
  ],
  [
    'leaves a key empty',
    withServer('tls:', 'caFile: ca.pem').replace('    caFile', '#   caFile'),
    5,
    'tls: found nothing',
    'are the lines below indented far enough?',
  ],
  [
    'switches the audience check off (A11)',
    withServer('verify: { aud: false }'),
    5,
    'verify.aud',
    "can't be switched off",
  ],
  [
    'switches the signature check off (A11)',
    withServer('verify: { signature: false }'),
    5,
    'verify.signature',
    "can't be switched off",
  ],
  [
    'has no routes',
    'publicUrl: https://a.example\nauthorizationServers: [{ issuer: https://a.example }]\nroutes: []\n',
    3,
    'routes: found an empty list',
    'at least one route',
  ],
];

const inTheValues: readonly Mistake[] = [
  [
    'writes a duration in words',
    withRoute('upstream: { url: "http://b", timeouts: { connect: 5 secs } }'),
    5,
    'routes[0].upstream.timeouts.connect: found "5 secs", expected a duration such as 30s, 5m or 1h',
    'did you mean 5s?',
  ],
  ['writes a duration as a number', withServer('leeway: 30'), 5, 'leeway: found 30', 'did you mean 30s?'],
  ['writes a duration as a text without unit', withServer('leeway: "30"'), 5, 'did you mean 30s?'],
  [
    'asks for a longer duration than there is',
    withTop('stop: { drain: 400d }'),
    4,
    'a duration from 0s to 1h',
  ],
  [
    'writes a size with a decimal unit',
    withRoute('limits: { body: 4MB }'),
    5,
    'found "4MB", expected a size such as',
    'did you mean 4MiB?',
  ],
  [
    'writes a port in quotes',
    withTop('listen: { port: "8080" }'),
    4,
    'listen.port: found "8080"',
    'without quotes',
  ],
  [
    'writes a port out of range',
    withTop('listen: { port: 80800 }'),
    4,
    'found 80800, expected a port from 0 to 65535',
  ],
  ['writes a port with a fraction', withTop('ops: { port: 90.5 }'), 4, 'a port from 0 to 65535'],
  [
    'gives both listeners one port',
    withTop('ops: { port: 8080 }'),
    4,
    'another port than the public listener has',
  ],
  [
    'writes a list where a text belongs',
    withRoute('resource: [https://mcp.example.com/mcp]'),
    5,
    'found a list',
    'one value, no list: https://mcp.example.com/mcp',
  ],
  [
    'writes a text where a list belongs',
    withServer('audiences: api://mcp'),
    5,
    'a list of audiences',
    'a list, even of one: [api://mcp]',
  ],
  [
    'writes scopes as OAuth sends them',
    withRoute('scopes: read write'),
    5,
    'a list of scopes',
    'a list: [read, write]',
  ],
  [
    'writes two scopes in one item',
    withRoute('scopes: [read write]'),
    5,
    'scopes[0]: found "read write"',
    'one scope for each item: [read, write]',
  ],
  [
    'writes supported scopes as OAuth sends them',
    withRoute('scopesSupported: read write'),
    5,
    'a list of scopes such as [github:read], or from-authorization-server',
    'a list: [read, write]',
  ],
  [
    'misspells the word for live scopes',
    withRoute('challengeScopes: from-autorization-server'),
    5,
    'did you mean from-authorization-server?',
  ],
  [
    'takes live scopes from a server without metadata',
    [
      'publicUrl: https://mcp.example.com',
      'authorizationServers: [{ name: corp, issuer: https://a.example, discovery: off, jwksUri: https://a.example/k }]',
      'routes:',
      '  - path: /mcp',
      '    scopesSupported: from-authorization-server',
      '    upstream: http://localhost:8000/mcp',
      '',
    ].join('\n'),
    5,
    'routes[0].scopesSupported: found from-authorization-server, where corp has discovery: off',
    'expected a list of scopes',
  ],
  [
    'takes live scopes on an open route',
    withRoute('access: open', 'scopesSupported: from-authorization-server'),
    6,
    'scopesSupported on an open route',
  ],
  [
    'mirrors a server that is not there',
    withTop('discovery: { mirror: crop }'),
    4,
    'discovery.mirror: found "crop", expected one of corp',
    'did you mean corp?',
  ],
  [
    'mirrors a server without metadata',
    [
      'publicUrl: https://mcp.example.com',
      'authorizationServers: [{ name: corp, issuer: https://a.example, discovery: off, jwksUri: https://a.example/k }]',
      'routes: [{ path: /mcp, upstream: "http://localhost:8000/mcp" }]',
      'discovery: { mirror: corp }',
      '',
    ].join('\n'),
    4,
    'discovery.mirror: found "corp", which has discovery: off, expected a server with discovery: auto',
  ],
  [
    'asks for offline_access',
    withRoute('challengeScopes: [offline_access]'),
    5,
    'a scope of the resource',
    'by themselves',
  ],
  [
    'leaves a name without quotes that is a number',
    withRoute('name: 42'),
    5,
    'found 42',
    'put it in quotes: "42"',
  ],
  [
    'writes yes where a boolean belongs',
    withServer('requireExp: no'),
    5,
    'true or false',
    'write false, without quotes',
  ],
  [
    'writes a boolean where a word belongs',
    withRoute('discovery: false'),
    5,
    'found false, expected on or off',
    "'off' may need quotes",
  ],
  [
    'misspells a word',
    withRoute('access: opne'),
    5,
    'found "opne", expected required, optional or open',
    'did you mean open?',
  ],
  [
    'misspells a word among alternatives',
    withTop('log: { audit: stdot }'),
    4,
    'stdout, off or { file: PATH }',
    'did you mean stdout?',
  ],
  [
    'wants a symmetric algorithm (A07)',
    withServer('algorithms: [RS256, HS256]'),
    5,
    'algorithms[1]: found "HS256"',
    'whoever can check such a token can also make one',
  ],
  ['wants no algorithm (A07)', withServer('algorithms: [none]'), 5, 'proves nothing'],
  [
    'writes a path to a claim that no claim can have',
    withServer('claims: { email: /profile//email }'),
    5,
    'claims.email: found "/profile//email", expected a claim such as email, or the path to one',
    '/ is written ~1',
  ],
  [
    "takes Okta's organisation for an authorization server of its own",
    withTop().replace('https://login.example.com/realms/corp', 'https://example.okta.com'),
    2,
    'whose access tokens only Okta can check, expected the issuer of a custom authorization server',
    'such as https://example.okta.com/oauth2/default',
  ],
  ['accepts logout tokens', withServer('tokenTypes: [logout+jwt]'), 5, 'never an access token'],
  [
    'misspells http',
    withRoute('upstream: htp://localhost:8000/mcp'),
    5,
    'did you mean http://localhost:8000/mcp?',
  ],
  [
    'forgets a slash of http',
    withRoute('upstream: http:/localhost:8000/mcp'),
    5,
    'did you mean http://localhost:8000/mcp?',
  ],
  [
    'forgets the scheme',
    withRoute('upstream: localhost:8000/mcp'),
    5,
    'did you mean http://localhost:8000/mcp?',
  ],
  [
    'writes a password into a URL',
    withRoute('upstream: http://user:geheim@bridge/mcp'),
    5,
    'found "http://…@bridge/mcp"',
    'secrets belong into',
  ],
  [
    'gives the address of the metadata for the issuer',
    withServer().replace('corp', 'corp/.well-known/openid-configuration'),
    4,
    'the issuer, not the address of its metadata',
    'did you mean https://login.example.com/realms/corp?',
  ],
  [
    'uses http for the public URL',
    withTop().replace('https://mcp', 'http://mcp'),
    1,
    'an https URL',
    'http is for localhost',
  ],
  [
    'uses http for the issuer',
    withServer().replace('https://login', 'http://login'),
    4,
    'an https URL',
    'dangerouslyAllowHttp: true',
  ],
  [
    'writes a whole URL as the path',
    withRoute().replace('/mcp\n', 'https://mcp.example.com/mcp\n'),
    4,
    'only the path: did you mean /mcp?',
  ],
  ['writes a path without the slash', withRoute().replace('/mcp\n', 'mcp\n'), 4, 'did you mean /mcp?'],
  ['writes a pattern as the path', withRoute().replace('/mcp\n', '/mcp/*\n'), 4, 'there are no patterns'],
  ['allows every origin', withRoute("origins: ['*']"), 5, 'list the pages that may'],
  [
    'writes an origin with a slash',
    withRoute('origins: [https://inspector.example.com/]'),
    5,
    'did you mean https://inspector.example.com?',
  ],
  ['writes a port into hosts', withTop("hosts: ['mcp.example.com:443']"), 4, 'did you mean mcp.example.com?'],
  [
    'trusts a proxy by name',
    withTop('listen: { trustProxy: [proxy.internal] }'),
    4,
    'names are not looked up',
  ],
  [
    'names a file that is not there',
    withServer('tls: { caFile: ca.pem }'),
    5,
    `authorizationServers[0].tls.caFile: found "ca.pem", which doesn't exist`,
    'looked for /etc/portcullis/ca.pem',
  ],
  [
    'names a file that holds something else',
    withServer('tls: { caFile: notes.txt }'),
    5,
    'which holds something else',
    'certificates in PEM form',
  ],
];

const between: readonly Mistake[] = [
  [
    'names a server that is not there',
    withRoute('authorizationServers: [crop]'),
    5,
    'found "crop", expected one of corp',
    'did you mean corp?',
  ],
  [
    'protects a route and names no server',
    'publicUrl: https://a.example\nroutes: [{ path: /, upstream: "http://b" }]\n',
    1,
    'authorizationServers: found nothing',
    'routes[0] asks for tokens',
  ],
  [
    'lists no server at all',
    'publicUrl: https://a.example\nroutes: [{ path: /, upstream: "http://b" }]\nauthorizationServers: []\n',
    3,
    'found an empty list',
  ],
  [
    'lists two servers with one default name',
    withServer()
      .replace('    \n', '')
      .trimEnd()
      .concat('\n  - issuer: https://login.example.com/realms/corp/\n'),
    5,
    'the name "login.example.com/realms/corp"',
    'add name',
  ],
  [
    'gives two servers one name',
    withTop().replace('corp }', 'corp }, { name: corp, issuer: https://b.example }'),
    2,
    'a name of its own',
  ],
  [
    'switches discovery off without keys',
    withServer('discovery: off'),
    4,
    'jwksUri: found nothing',
    'because discovery is off',
  ],
  [
    'switches the issuer check off beside another server',
    withServer('verify: { iss: false }', '').concat('  - issuer: https://other.example.com\n'),
    5,
    'expected true',
    'other authorization servers',
  ],
  [
    'repeats a path',
    withRoute().concat('  - { path: /mcp, name: b, upstream: "http://b" }\n'),
    6,
    'another path than routes[0].path "/mcp"',
  ],
  [
    'repeats a path with a slash',
    withRoute().concat('  - { path: /mcp/, name: b, upstream: "http://b" }\n'),
    6,
    'differ only by case or a slash',
  ],
  [
    'repeats a path in capitals',
    withRoute().concat('  - { path: /MCP, upstream: "http://b" }\n'),
    6,
    'differ only by case or a slash',
  ],
  [
    'puts a path below another',
    withRoute().concat('  - { path: /mcp/admin, upstream: "http://b" }\n'),
    6,
    'neither above nor below',
    'such as /mcp-admin',
  ],
  [
    'puts a path above another',
    withRoute().replace('/mcp\n', '/a/mcp\n').concat('  - { path: /a, upstream: "http://b" }\n'),
    6,
    'neither above nor below',
  ],
  [
    'gives two routes one name',
    withRoute('name: x').concat('  - { path: /b, name: x, upstream: "http://b" }\n'),
    7,
    'another name than routes[0].name has',
  ],
  [
    'marks two defaults',
    withRoute('default: true').concat('  - { path: /b, default: true, upstream: "http://b" }\n'),
    7,
    'a second default route',
  ],
  [
    'gives two routes one resource',
    withRoute('resource: https://mcp.example.com/x').concat(
      '  - { path: /b, resource: https://mcp.example.com/x?y=1, upstream: "http://b" }\n',
    ),
    7,
    'which routes[0] has as well',
    'a resource of its own',
  ],
  [
    'marks a default beside a route at the root',
    withRoute('default: true').concat('  - { path: /, upstream: "http://b" }\n'),
    5,
    'beside one at the root',
  ],
  [
    'lists scopes on an open route',
    withRoute('access: open', 'scopes: [a]'),
    6,
    'scopes on an open route',
    'no token is asked for',
  ],
  [
    'sends two things in one header',
    withRoute('identity: { claims: { X_Auth_Subject: groups } }'),
    5,
    'tells something else already',
    'case, _ and - make no difference',
  ],
  [
    'sends the subject as Host',
    withRoute('identity: { headers: { subject: Host } }'),
    5,
    'found "Host"',
    'another meaning',
  ],
  [
    'sends the subject as Authorization',
    withRoute('identity: { headers: { subject: authorization } }'),
    5,
    'a header for credentials',
  ],
  [
    'lets the Authorization of clients pass',
    withRoute('upstream: { url: "http://b", requestHeaders: [Authorization] }'),
    5,
    'requestHeaders[0]: found "Authorization"',
    'for credentials',
  ],
  [
    'lets the cookies of clients pass',
    withRoute('upstream: { url: "http://b", requestHeaders: [Cookie] }'),
    5,
    'for credentials',
  ],
  [
    'lets clients write an identity header',
    withRoute('upstream: { url: "http://b", requestHeaders: [x-auth-subject] }'),
    5,
    'a client could be anyone',
  ],
  [
    'lets clients write a hop-by-hop header',
    withRoute('upstream: { url: "http://b", requestHeaders: [Connection] }'),
    5,
    'a hop-by-hop header',
  ],
  [
    'lets anyone write into traces',
    withRoute('upstream: { url: "http://b", requestHeaders: [traceparent] }'),
    5,
    'passes from the proxies in listen.trustProxy alone',
  ],
  [
    'gives certificates to an http upstream',
    withRoute('upstream: { url: "http://b", tls: {} }'),
    5,
    'tls for an http URL',
  ],
];

function asCases(mistakes: readonly Mistake[]) {
  return mistakes.map(([what, text, line, ...says]) => ({ what, text, line, says }));
}

describe('an operator is told the line and the way out who', () => {
  it.each(asCases([...inTheForm, ...inTheKeys, ...inTheValues, ...between]))(
    '$what',
    ({ text, line, says }) => {
      const faults = faultsOf(text);
      const told = formatFaults('config.yaml', faults);
      expect({ lines: faults.map((fault) => fault.line), told }).toEqual({ lines: [line], told });
      for (const words of says) expect(told).toContain(words);
    },
  );
});

describe('faults of all kinds', () => {
  it('are told together, each with its line (C1)', () => {
    const text = [
      'publicUrl: http://mcp.example.com',
      'stop: { drain: &drain soon }',
      'stop: { drain: 15s }',
      'authorizationServers:',
      '  - issuer: https://login.example.com/realms/corp',
      '    algoritms: [RS256]',
      'routes:',
      '  - path: /mcp',
      '    authorizationServers: [crop]',
      '    upstream: http://localhost:8000/mcp',
      'login: [{ authorizationServer: login.example.com/realms/corp, clientId: a, clientSecret: { env: SECRET } }]',
    ].join('\n');
    expect(faultsOf(text, { SECRET: 'x' }).map(({ line, found }) => [line, found])).toEqual([
      [1, '"http://mcp.example.com"'],
      [2, 'an anchor'],
      [2, '"soon"'],
      [3, 'a second key "stop"'],
      [6, 'an unknown key'],
      [9, '"crop"'],
      [11, 'login, though no route has credentials.oauth with scope: user'],
    ]);
  });

  it('are not told twice: what an alias stands for is not missing as well', () => {
    const text = 'publicUrl: *url\nauthorizationServers: [{ issuer: https://a.example }]\nroutes: *routes\n';
    expect(faultsOf(text).map(({ line, found }) => [line, found])).toEqual([
      [1, 'an alias'],
      [3, 'an alias'],
    ]);
  });
});
