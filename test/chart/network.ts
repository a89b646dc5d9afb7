import { BlockList, isIPv6 } from 'node:net';
import type { Manifest } from './helm.ts';

/** A pod, or an address outside of the cluster. */
export type Peer =
  | { readonly namespace: string; readonly labels: Labels; readonly address?: undefined }
  | { readonly address: string };

export interface Connection {
  readonly from: Peer;
  readonly to: Peer;
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
}

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels?: Labels;
}

interface Block {
  readonly cidr: string;
  readonly except?: readonly string[];
}

interface PolicyPeer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: Block;
}

interface Rule {
  readonly ports?: readonly { readonly port: number; readonly protocol: string }[];
  readonly from?: readonly PolicyPeer[];
  readonly to?: readonly PolicyPeer[];
}

interface Policy {
  readonly namespace: string;
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

/**
 * Whether a cluster that enforces policies would let this connection be made: both ends have to allow it, and an end that
 * no policy selects allows everything (Kubernetes, Network Policies). Selectors by `matchLabels` only.
 */
export function isAllowed(manifests: readonly Manifest[], connection: Connection): boolean {
  const policies = manifests
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map(({ metadata, spec }) => ({ ...(spec as Policy), namespace: metadata.namespace ?? '' }));
  return endAllows(policies, 'Egress', connection) && endAllows(policies, 'Ingress', connection);
}

function endAllows(
  policies: readonly Policy[],
  type: 'Ingress' | 'Egress',
  { from, to, port, protocol = 'TCP' }: Connection,
): boolean {
  const [self, other] = type === 'Egress' ? [from, to] : [to, from];
  if (self.address !== undefined) return true;
  const selecting = policies.filter(
    ({ namespace, podSelector, policyTypes }) =>
      policyTypes.includes(type) && namespace === self.namespace && fits(podSelector, self.labels),
  );
  const rules = selecting.flatMap((policy) =>
    ((type === 'Egress' ? policy.egress : policy.ingress) ?? []).map((rule) => ({ rule, policy })),
  );
  return (
    selecting.length === 0 ||
    rules.some(({ rule, policy }) => {
      const peers = type === 'Egress' ? rule.to : rule.from;
      const isPort = rule.ports?.some((one) => one.port === port && one.protocol === protocol) ?? true;
      return isPort && (peers?.some((peer) => isPeer(peer, other, policy.namespace)) ?? true);
    })
  );
}

function isPeer({ ipBlock, namespaceSelector, podSelector }: PolicyPeer, peer: Peer, own: string): boolean {
  if (peer.address !== undefined) return ipBlock !== undefined && holds(ipBlock, peer.address);
  if (ipBlock !== undefined) return false;
  const isNamespace =
    namespaceSelector === undefined
      ? peer.namespace === own
      : fits(namespaceSelector, { 'kubernetes.io/metadata.name': peer.namespace });
  return isNamespace && (podSelector === undefined || fits(podSelector, peer.labels));
}

function fits({ matchLabels = {} }: Selector, labels: Labels): boolean {
  return Object.entries(matchLabels).every(([name, value]) => labels[name] === value);
}

function holds({ cidr, except = [] }: Block, address: string): boolean {
  return isIn(cidr, address) && !except.some((range) => isIn(range, address));
}

function isIn(range: string, address: string): boolean {
  const [network = '', prefix] = range.split('/');
  if (isIPv6(network) !== isIPv6(address)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), isIPv6(network) ? 'ipv6' : 'ipv4');
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
