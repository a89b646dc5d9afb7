import { beginLogin, finishLogin } from '../credentials/oauth/login.ts';
import type { StoredLogin } from '../credentials/oauth/stored-login.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';
import type { LoginCallback } from './login-callback.ts';
import { openLoginCallback } from './login-callback.ts';
import type { LoginPorts, OpenLogin } from './open-login.ts';
import { openLogin } from './open-login.ts';
import { readConfiguration } from './read-configuration.ts';
import type { LoginOf, LoginRoute } from './upstream-route.ts';
import { findLoginRoute, whyNobodys } from './upstream-route.ts';

export interface LoginCommand extends LoginOf {
  /** Without a file the environment is the configuration. */
  readonly configurationFile: string | undefined;
}

/**
 * Logs the gateway in at an upstream: prints an address for a browser, waits for it to come back on loopback, and
 * puts the tokens into the store, where a running gateway finds them with the next request. Until then, and if
 * anything fails, the old ones stay. Answers the exit code: 0 logged in, 3 not.
 */
export async function login(wanted: LoginCommand, io: CommandIo, ports: LoginPorts): Promise<number> {
  const configuration = readConfiguration(wanted.configurationFile, io);
  if (typeof configuration === 'number') return configuration;
  const found = findLoginRoute(configuration, wanted);
  if (typeof found === 'string') return refuse(found, io);
  const nobodys = whyNobodys(found);
  if (nobodys !== undefined) return refuse(nobodys, io);
  const { redirectPort } = found.settings;
  let callback: LoginCallback;
  try {
    callback = await openLoginCallback(redirectPort);
  } catch (error) {
    const { code = 'failed' } = error as NodeJS.ErrnoException;
    return fail(
      `port ${redirectPort} of 127.0.0.1 can't be listened on (${code}): is another login waiting?`,
      io,
    );
  }
  const open = await openLogin(configuration, found, ports);
  try {
    return await logInAt(found, { callback, open, io, limitMs: ports.limitMs });
  } finally {
    callback.close();
    open.close();
  }
}

interface Parts {
  readonly callback: LoginCallback;
  readonly open: OpenLogin;
  readonly io: CommandIo;
  readonly limitMs: number;
}

async function logInAt(
  { route, person }: LoginRoute,
  { callback, open, io, limitMs }: Parts,
): Promise<number> {
  const { redirectUri } = callback;
  const begun = await beginLogin({ route, person, redirectUri }, open.parts);
  if (!begun.ok) return fail(begun.detail, io);
  const { pending } = begun;
  io.out(
    `To log in at ${route.upstream.url}, open this address in a browser on this machine:\n\n  ${pending.url}\n\nWaiting on ${redirectUri} for ${Math.round(limitMs / 1000)} s.\n`,
  );
  const parameters = await callback.wait(pending.state, limitMs);
  if (parameters === undefined) return fail(`nobody came back within ${Math.round(limitMs / 1000)} s`, io);
  const finished = await finishLogin(pending, parameters, open.parts);
  if (!finished.ok) return fail(finished.detail, io);
  io.out(`Logged in for route ${route.name}${describe(finished.login)}.\n`);
  return exitCode.ok;
}

function describe({ scopes, refreshToken }: StoredLogin): string {
  const granted = scopes === undefined || scopes.length === 0 ? '' : ` with ${scopes.join(' ')}`;
  return refreshToken === undefined
    ? `${granted}; the server gave no refresh token, so the login ends with this token`
    : granted;
}

/** A name that isn't there is a mistake of the command line. */
export function refuse(sentence: string, io: CommandIo): number {
  io.err(`${sentence}\n`);
  return exitCode.usage;
}

function fail(detail: string, io: CommandIo): number {
  io.err(`The login failed, and nothing has changed: ${detail}\n`);
  return exitCode.denied;
}
