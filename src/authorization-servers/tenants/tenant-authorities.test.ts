import { beforeEach, describe, expect, it } from 'vitest';

import type { AuthorizationServer } from '../../config/configuration.ts';
import type { Authority } from '../authority.ts';
import type { TenantEvents } from './tenant-authorities.ts';
import { TenantAuthorities } from './tenant-authorities.ts';

const serverOf = (tenant: string): AuthorizationServer =>
  ({ name: 'corp', tenant, issuers: [`https://as.example/t/${tenant}`] }) as unknown as AuthorizationServer;

let events: Map<Authority, TenantEvents>;
let closed: Set<Authority>;
let tenants: TenantAuthorities;

beforeEach(() => {
  events = new Map();
  closed = new Set();
  tenants = new TenantAuthorities((server, told) => {
    const authority = { server, close: () => void closed.add(authority) } as unknown as Authority;
    events.set(authority, told);
    return authority;
  });
});

const tell = (authority: Authority, what: keyof TenantEvents): void => events.get(authority)?.[what]();

describe('the authorities of tenants (W04)', () => {
  it('are one for equal servers, and others for other tenants, issuers and names', () => {
    const authority = tenants.of(serverOf('a'));
    expect(tenants.of(serverOf('a'))).toBe(authority);
    expect(tenants.of(serverOf('b'))).not.toBe(authority);
    expect(tenants.of({ ...serverOf('a'), name: 'other' })).not.toBe(authority);
    expect(tenants.of({ ...serverOf('a'), issuers: ['https://other.example/a'] })).not.toBe(authority);
  });

  it('stay few, whatever is named, and what answered is never pushed out by what did not', () => {
    const good = tenants.of(serverOf('good'));
    tell(good, 'onAsked');
    tell(good, 'onAnswered');
    for (let at = 0; at < 10_000; at += 1) {
      const authority = tenants.of(serverOf(`invented-${at}`));
      if (at % 2 === 0) tell(authority, 'onAsked');
    }
    expect(tenants.of(serverOf('good'))).toBe(good);
    expect(tenants.size).toBe(1 + 1000 + 100);
    expect(closed).toEqual(new Set());
  });

  it('that were asked in vain are remembered through a flood of names', () => {
    const failed = tenants.of(serverOf('failed'));
    tell(failed, 'onAsked');
    for (let at = 0; at < 10_000; at += 1) tenants.of(serverOf(`invented-${at}`));
    expect(tenants.of(serverOf('failed'))).toBe(failed);
  });

  it('are kept once they answer, though they were pushed out meanwhile', () => {
    const slow = tenants.of(serverOf('slow'));
    for (let at = 0; at < 200; at += 1) tenants.of(serverOf(`invented-${at}`));
    tell(slow, 'onAsked');
    for (let at = 0; at < 2000; at += 1) tell(tenants.of(serverOf(`asked-${at}`)), 'onAsked');
    tell(slow, 'onAnswered');
    expect(tenants.of(serverOf('slow'))).toBe(slow);
  });

  it('leave the place to the one that has it', () => {
    const first = tenants.of(serverOf('a'));
    for (let at = 0; at < 200; at += 1) tenants.of(serverOf(`invented-${at}`));
    const second = tenants.of(serverOf('a'));
    expect(second).not.toBe(first);
    tell(first, 'onAnswered');
    expect(tenants.of(serverOf('a'))).toBe(second);
    tell(second, 'onAnswered');
    tell(first, 'onAnswered');
    expect(tenants.of(serverOf('a'))).toBe(second);
  });

  it('that are one too many end the one that was used longest ago', () => {
    const authorities = Array.from({ length: 1001 }, (_, at) => {
      const authority = tenants.of(serverOf(`t-${at}`));
      tell(authority, 'onAnswered');
      return authority;
    });
    expect(closed).toEqual(new Set([authorities[0]]));
    expect(tenants.of(serverOf('t-0'))).not.toBe(authorities[0]);
  });

  it('all end together', () => {
    tell(tenants.of(serverOf('a')), 'onAnswered');
    tell(tenants.of(serverOf('b')), 'onAsked');
    tenants.of(serverOf('c'));
    tenants.close();
    expect(closed.size).toBe(3);
    expect(tenants.size).toBe(0);
  });
});
