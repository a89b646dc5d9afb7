/** What the policies would do in a cluster whose network enforces them, judged by their text (E-008). */
import { describe, expect, test } from 'vitest';
import { features, goldenManifests } from './golden.ts';
import { podOf } from './helm.ts';
import { isAllowed } from './network.ts';
import type { Connection, Peer } from './network.ts';

/** Where clouds hand out credentials: nearly everywhere by the first, at Alibaba and Azure, at AWS, Google and Scaleway by IPv6. */
const metadataAddresses = ['169.254.169.254', '100.100.100.200', '168.63.129.16'].concat([
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  'fd00:42::42',
  'fe80::a9fe:a9fe',
]);

const prometheus: Peer = { namespace: 'monitoring', labels: { app: 'prometheus' } };
const stranger: Peer = { namespace: 'mcp', labels: { app: 'stranger' } };

function gatewayOf(feature: string): Peer {
  return { namespace: 'mcp', labels: podOf(goldenManifests(feature)).labels };
}

function can(feature: string, connection: Connection): boolean {
  return isAllowed(goldenManifests(feature), connection);
}

describe.each(features)('with the %s values, the gateway', (feature) => {
  const gateway = gatewayOf(feature);

  test('never reaches the addresses where clouds hand out credentials', () => {
    for (const address of metadataAddresses)
      for (const port of [80, 443, 8000, 8080])
        expect(can(feature, { from: gateway, to: { address }, port })).toBe(false);
  });

  test("asks the cluster's DNS", () => {
    const to = { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } };
    expect(can(feature, { from: gateway, to, port: 53, protocol: 'UDP' })).toBe(true);
    expect(can(feature, { from: gateway, to, port: 6443 })).toBe(false);
  });

  test('shows its ops port to nobody who passes by, and no port that it has not', () => {
    const { container } = podOf(goldenManifests(feature));
    const ops = container.ports?.find(({ name }) => name === 'ops')?.containerPort ?? 0;
    for (const from of [stranger, { address: '203.0.113.7' }])
      for (const port of [ops, 8000, 22]) expect(can(feature, { from, to: gateway, port })).toBe(false);
  });
});

describe('by default, the gateway', () => {
  const gateway = gatewayOf('minimal');

  test('reaches its upstream in its namespace on any port, and authorization servers outside by https', () => {
    const upstream = { namespace: 'mcp', labels: { app: 'mcp-server' } };
    expect(can('minimal', { from: gateway, to: upstream, port: 8000 })).toBe(true);
    expect(can('minimal', { from: gateway, to: { address: '203.0.113.7' }, port: 443 })).toBe(true);
    expect(can('minimal', { from: gateway, to: { address: '2001:db8::7' }, port: 443 })).toBe(true);
  });

  test('reaches nothing else: another namespace, another port, a Redis that it was not told of', () => {
    const elsewhere = { namespace: 'billing', labels: { app: 'database' } };
    expect(can('minimal', { from: gateway, to: elsewhere, port: 5432 })).toBe(false);
    expect(can('minimal', { from: gateway, to: elsewhere, port: 6379 })).toBe(false);
    expect(can('minimal', { from: gateway, to: { address: '203.0.113.7' }, port: 25 })).toBe(false);
  });

  test('is reached by clients, and by Prometheus on the ops port', () => {
    expect(can('minimal', { from: { address: '203.0.113.7' }, to: gateway, port: 8080 })).toBe(true);
    expect(can('minimal', { from: prometheus, to: gateway, port: 9090 })).toBe(true);
  });
});

test('with a Redis the gateway reaches that in the cluster', () => {
  const to = { namespace: 'redis', labels: { app: 'redis' } };
  expect(can('redis', { from: gatewayOf('redis'), to, port: 6379 })).toBe(true);
});

test('a gateway that shall reach nothing outside reaches the authorization server in the cluster and the proxy', () => {
  const from = gatewayOf('network-policy');
  const keycloak = { namespace: 'login', labels: { app: 'keycloak' } };
  expect(can('network-policy', { from, to: keycloak, port: 8080 })).toBe(true);
  expect(can('network-policy', { from, to: { address: '10.1.2.3' }, port: 3128 })).toBe(true);
  expect(can('network-policy', { from, to: { address: '203.0.113.7' }, port: 443 })).toBe(false);
});

test('behind an ingress controller, nobody else reaches the public port', () => {
  const to = gatewayOf('ingress');
  const controller = { namespace: 'ingress-nginx', labels: { app: 'controller' } };
  expect(can('ingress', { from: controller, to, port: 8080 })).toBe(true);
  expect(can('ingress', { from: stranger, to, port: 8080 })).toBe(false);
});

describe('a protected upstream', () => {
  const server = { namespace: 'mcp', labels: { app: 'mcp-server' } };
  const tickets = { namespace: 'tools', labels: { app: 'tickets' } };
  const gateway = gatewayOf('protected-upstreams');
  const attempt = (from: Peer, to: Peer, port: number): boolean =>
    can('protected-upstreams', { from, to, port });

  test('is reached by the gateway, in its namespace and in another one (E-008)', () => {
    expect(attempt(gateway, server, 8000)).toBe(true);
    expect(attempt(gateway, tickets, 8080)).toBe(true);
  });

  test('is reached by no one else: neighbours, other namespaces with the labels of the gateway, outside (E-008)', () => {
    const impostor = { ...gateway, namespace: 'tools' } as Peer;
    for (const from of [stranger, impostor, prometheus, { address: '203.0.113.7' }])
      for (const [to, port] of [
        [server, 8000],
        [tickets, 8080],
      ] as const)
        expect(attempt(from, to, port)).toBe(false);
    expect(attempt(gateway, server, 22)).toBe(false);
  });

  test('was open to all before', () => {
    expect(can('minimal', { from: stranger, to: server, port: 8000 })).toBe(true);
  });
});
