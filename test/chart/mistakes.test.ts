import { describe, expect, test } from 'vitest';
import { valuesFile } from './golden.ts';
import { findHelm, template, templateWith, withoutHelm } from './helm.ts';

const found = findHelm();
const helm = found ?? 'helm';
const note = found === undefined ? withoutHelm : '';
const minimal = valuesFile('minimal');

const route = { path: '/mcp', upstream: 'http://mcp-server:8000/mcp' };
const sessions = { key: { env: 'KEY' } };
const sharedKey = {
  name: 'KEY',
  valueFrom: { secretKeyRef: { name: 'portcullis', key: 'session-key' } },
};

/** What is wrong, the values, and the words that the message has to hold: the key above all. */
const mistakes: readonly (readonly [string, unknown, RegExp])[] = [
  ['a value that does not exist', { replicas: 2 }, /'replicas'/],
  ['a misspelt key below one that exists', { service: { ports: 80 } }, /service.*'ports'/s],
  ['a number as a word', { replicaCount: 'two' }, /replicaCount.*integer/s],
  ['a port out of range', { opsService: { port: 70_000 } }, /opsService\/port/],
  [
    'an ops Service that the outside reaches',
    { opsService: { type: 'LoadBalancer' } },
    /opsService.*'type'/s,
  ],
  ['a digest that is not one', { image: { digest: 'latest' } }, /image\/digest/],
  ['the root user', { podSecurityContext: { runAsUser: 0 } }, /podSecurityContext\/runAsUser/],
  ['a weaker pod', { podSecurityContext: { runAsNonRoot: false } }, /podSecurityContext.*'runAsNonRoot'/s],
  ['a variable that the chart owns', { extraEnv: [{ name: 'PORT', value: '1' }] }, /extraEnv\/0\/name/],
  ['a second volume called config', { extraVolumes: [{ name: 'config' }] }, /extraVolumes\/0\/name/],
  ['an HTTPRoute that belongs to no Gateway', { httpRoute: { enabled: true } }, /httpRoute\/parentRefs/],
  ['a bridge without an image', { bridge: { enabled: true } }, /bridge\/image/],
  [
    'a way to the metadata service',
    { networkPolicy: { outsideCidrs: ['169.254.0.0/16'] } },
    /outsideCidrs\/0/,
  ],
  ['one that hides in a wide range', { networkPolicy: { outsideCidrs: ['128.0.0.0/1'] } }, /outsideCidrs\/0/],
  [
    'an upstream protected by no label, which would be all pods',
    { protectedUpstreams: [{ name: 'a', podSelector: {}, ports: [1] }] },
    /protectedUpstreams\/0\/podSelector/,
  ],
  ['a configuration without an address', { config: { publicUrl: null } }, /config\/publicUrl/],
  ['a misspelt key of the gateway', { config: { publicURL: 'https://a.example' } }, /config.*'publicURL'/s],
  [
    'a misspelt key of a route',
    { config: { routes: [{ ...route, scope: ['a'] }] } },
    /config\/routes\/0.*'scope'/s,
  ],
  [
    'a secret in the configuration',
    { config: { sessions: { key: 'x'.repeat(44) } } },
    /config\/sessions\/key/,
  ],
  ['a bare off, which Helm reads as false', 'config: { log: { audit: off } }', /config\/log\/audit/],
  [
    'a time to stop that cuts the draining',
    { terminationGracePeriodSeconds: 15 },
    /: terminationGracePeriodSeconds: 15/,
  ],
  [
    'the same in minutes',
    { config: { stop: { drain: '1m' } }, terminationGracePeriodSeconds: 60 },
    /terminationGracePeriodSeconds: 60 has to be longer than config\.stop takes, 60 seconds/,
  ],
  ['several pods without a key (E-005)', { replicaCount: 2 }, /: config\.sessions\.key: more than one pod/],
  [
    'an autoscaler without a key (E-005)',
    { autoscaling: { enabled: true } },
    /: config\.sessions\.key: more than one pod/,
  ],
  [
    'several pods that each know other proofs (DPoP)',
    {
      replicaCount: 2,
      config: { sessions, routes: [{ ...route, dpop: 'required' }] },
      extraEnv: [sharedKey],
    },
    /: config\.state: the route \/mcp has dpop/,
  ],
  [
    'several pods that sign with a key each',
    {
      replicaCount: 2,
      config: {
        sessions,
        routes: [{ ...route, identity: { assertion: {} } }],
      },
      extraEnv: [sharedKey],
    },
    /: config\.signing\.key: the route \/mcp signs who asks/,
  ],
  [
    'several pods, each with a folder of logins of its own',
    {
      replicaCount: 2,
      config: { sessions, tokenStore: { directory: '/var/lib/logins', key: { env: 'KEY' } } },
      extraEnv: [sharedKey],
    },
    /: config\.tokenStore\.directory: more than one pod/,
  ],
  [
    'several pods, each of which knows other links that were used',
    {
      replicaCount: 2,
      config: {
        sessions,
        tokenStore: { key: { env: 'KEY' } },
        login: [{ authorizationServer: 'corp', clientId: 'gate' }],
      },
      extraEnv: [sharedKey],
    },
    /: config\.state: users log in themselves/,
  ],
  [
    'a folder of logins that nobody can write to',
    { config: { tokenStore: { directory: '/var/lib/logins', key: { env: 'KEY' } } }, extraEnv: [sharedKey] },
    /: extraVolumeMounts: config\.tokenStore\.directory is \/var\/lib\/logins/,
  ],
  [
    'an audit file that nobody can write to',
    {
      config: { log: { audit: { file: '/var/log/audit' } } },
      extraVolumeMounts: [{ name: 'logs', mountPath: '/var/lo' }],
    },
    /: extraVolumeMounts: config\.log\.audit\.file is \/var\/log\/audit/,
  ],
  [
    'two protected upstreams of one name, of which one would be open',
    {
      protectedUpstreams: [
        { name: 'a', podSelector: { app: 'one' }, ports: [1] },
        { name: 'a', podSelector: { app: 'two' }, ports: [1] },
      ],
    },
    /: protectedUpstreams: two are called a/,
  ],
  [
    'a key that stands in the values (E-005)',
    { config: { sessions }, extraEnv: [{ name: 'KEY', value: 'x'.repeat(44) }] },
    /: extraEnv: KEY is a secret of config.*secretKeyRef/,
  ],
  [
    'a key from a ConfigMap (E-005)',
    {
      config: { sessions },
      extraEnv: [{ name: 'KEY', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' } } }],
    },
    /: extraEnv: KEY is a secret of config.*secretKeyRef/,
  ],
  [
    'a key from nowhere',
    { config: { sessions }, extraEnv: [{ name: 'KEY' }] },
    /: extraEnv: KEY is a secret of config.*secretKeyRef/,
  ],
  [
    'a secret that nothing gives',
    { config: { state: { redis: { url: { env: 'REDIS_URL' } } } } },
    /: extraEnv: config names the variable REDIS_URL, which neither extraEnv nor envFrom gives/,
  ],
  [
    'a host that the gateway answers with 403',
    { ingress: { enabled: true, hosts: ['other.example.com'] } },
    /: ingress\.hosts: .*other\.example\.com.*config\.hosts/,
  ],
  ['a free port', { config: { listen: { port: 0 } } }, /: config\.listen\.port: 0/],
  [
    'a listener that no one reaches',
    { config: { listen: { host: '127.0.0.1' } } },
    /: config\.listen\.host: 127/,
  ],
  [
    'an autoscaler between wrong ends',
    { autoscaling: { enabled: true, minReplicas: 11 }, config: { sessions }, extraEnv: [sharedKey] },
    /: autoscaling\.minReplicas: 11 is more/,
  ],
  [
    'an autoscaler that looks at nothing',
    { autoscaling: { enabled: true, cpuPercent: 0 }, config: { sessions }, extraEnv: [sharedKey] },
    /: autoscaling\.cpuPercent: one of/,
  ],
  [
    'an autoscaler that knows no share of the CPU',
    {
      autoscaling: { enabled: true },
      config: { sessions },
      extraEnv: [sharedKey],
      resources: { requests: { cpu: null } },
    },
    /: resources\.requests\.cpu: autoscaling\.cpuPercent/,
  ],
];

describe.skipIf(found === undefined)(`given wrong values, helm${note}`, () => {
  test.each(mistakes)('refuses %s and names the key', (_mistake, values, message) => {
    const { status, stderr } = templateWith(helm, minimal, values);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });

  test('refuses values without a configuration', () => {
    const { status, stderr } = template(helm);
    expect(status).toBe(1);
    expect(stderr).toMatch(/config/);
  });

  test('refuses a bridge where the cluster is too old for one', () => {
    const { status, stderr } = template(helm, '--values', valuesFile('bridge'), '--kube-version', '1.28.9');
    expect(status).toBe(1);
    expect(stderr).toMatch(/: bridge\.enabled: .* needs Kubernetes 1\.29, this is v1\.28\.9/);
  });
});
