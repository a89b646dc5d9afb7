/** What helm makes of values that no example has. */
import { describe, expect, test } from 'vitest';
import { valuesFile } from './golden.ts';
import { findHelm, ofKind, podOf, readManifests, templateWith, withoutHelm } from './helm.ts';

const found = findHelm();
const helm = found ?? 'helm';
const note = found === undefined ? withoutHelm : '';
const minimal = valuesFile('minimal');

const route = { path: '/mcp', upstream: 'http://mcp-server:8000/mcp' };

describe.skipIf(found === undefined)(`given right ones, helm${note}`, () => {
  const render = (values: unknown): ReturnType<typeof readManifests> => {
    const { status, stdout, stderr } = templateWith(helm, minimal, values);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return readManifests(stdout);
  };

  test('leaves time for the draining and ten seconds more, or as long as is asked for (A27)', () => {
    const graceOf = (values: object): number => podOf(render(values)).pod.terminationGracePeriodSeconds;
    expect(graceOf({})).toBe(25);
    expect(graceOf({ config: { stop: { drain: '29500ms' } } })).toBe(40);
    expect(graceOf({ config: { stop: { delay: '5s', drain: '1m' } } })).toBe(75);
    expect(graceOf({ config: { stop: { drain: '1m' } }, terminationGracePeriodSeconds: 120 })).toBe(120);
  });

  test('tells the Service that the gateway speaks https when it has a certificate', () => {
    const values = {
      config: { listen: { tls: { certFile: '/etc/tls/tls.crt', keyFile: '/etc/tls/tls.key' } } },
    };
    expect(ofKind(render(values), 'Service')).toMatchObject({
      spec: { ports: [{ name: 'public', appProtocol: 'https' }] },
    });
  });

  test('starts new pods only for what a running gateway cannot take up, unless told otherwise (O1)', () => {
    const annotationsOf = (values: object): unknown => podOf(render(values)).annotations;
    const before = annotationsOf({});
    const extraVolumeMounts = [{ name: 'logs', mountPath: '/var/log' }];
    const reloaded = {
      stop: { drain: '16s' },
      log: { level: 'debug' },
      listen: { trustProxy: ['10.0.0.0/8'] },
    };
    expect(annotationsOf({ config: reloaded })).toEqual(before);
    for (const config of [
      { listen: { port: 8081 } },
      { ops: { port: 9091 } },
      { log: { audit: { file: '/var/log/audit' } } },
      { listen: { tls: { certFile: '/a', keyFile: '/b' } } },
    ])
      expect(annotationsOf({ config, extraVolumeMounts })).not.toEqual(before);
    const whole = annotationsOf({ reload: false });
    expect(annotationsOf({ reload: false, config: reloaded })).not.toEqual(whole);
  });

  test('names namespaces and releases of digits as texts', () => {
    const [fullnameOverride, upstream] = ['gate', 'http://api.123.svc:8000/mcp'];
    const values = {
      fullnameOverride,
      nameOverride: '007',
      config: { routes: [{ path: '/mcp', upstream }] },
      protectedUpstreams: [{ name: '1', namespace: '1e3', podSelector: { app: 'a' }, ports: [1] }],
    };
    const { stdout, stderr } = templateWith(helm, minimal, values, '12e5');
    expect(stderr).toBe('');
    const text = JSON.stringify(readManifests(stdout));
    expect(text).not.toMatch(
      /"(?:namespace|app\.kubernetes\.io\/[a-z]+|kubernetes\.io\/metadata\.name)":[^"]/,
    );
    expect(text).toContain('"namespace":"12e5"');
    expect(text).toContain('"namespace":"1e3"');
    expect(text).toContain('"kubernetes.io/metadata.name":"123"');
  });

  test('lets the gateway reach the issuers of tenants and the authorization servers of logins in the cluster', () => {
    const [issuer, vendor] = [
      'https://keycloak.login.svc:8443/realms/{tenant}',
      'https://idp.vendor.svc:8443',
    ];
    const oauth = { scope: 'shared', authorizationServers: [vendor] };
    const policy = ofKind(
      render({
        config: {
          routes: [
            { ...route, path: '/{tenant}/mcp', tenant: { issuer } },
            { path: '/v', upstream: { url: 'https://vendor.example/mcp', credentials: { oauth } } },
          ],
        },
      }),
      'NetworkPolicy',
    );
    const text = JSON.stringify(policy['spec']);
    for (const namespace of ['login', 'vendor', 'mcp'])
      expect(text).toContain(`"kubernetes.io/metadata.name":"${namespace}"`);
  });

  test('takes a header called env for what it is', () => {
    const identity = { claims: { env: 'environment' } };
    expect(render({ config: { routes: [{ ...route, identity }] } }).length).toBeGreaterThan(5);
  });
});
