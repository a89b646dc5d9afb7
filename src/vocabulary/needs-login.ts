import type { Route } from '../config/configuration.ts';
import type { Refusal } from './refusal.ts';

/**
 * The refusal for an upstream that only a login can open again. It tells the client which route and which command;
 * all of it is from the configuration, but for a tenant, which has the form of one.
 */
export function needsLogin(
  { name, tenant }: Route,
  scope: 'shared' | 'user',
  detail: string,
): Refusal & { readonly kind: 'upstream-login-needed' } {
  const words = [
    'portcullis login',
    quoted(name),
    ...(tenant === undefined ? [] : ['--tenant', tenant.name]),
    ...(scope === 'user' ? ['--issuer ISSUER --subject SUBJECT'] : []),
  ];
  return {
    kind: 'upstream-login-needed',
    reason: 'upstream_login_needed',
    server: name,
    login: words.join(' '),
    detail,
  };
}

/** For a shell: names may hold what means something there. */
function quoted(name: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
}
