import { logOut } from '../credentials/oauth/logout.ts';
import { callbackPath } from '../credentials/user-login/ways-back.ts';
import type { CommandIo } from './io.ts';
import { exitCode } from './io.ts';
import type { LoginCommand } from './login.ts';
import { refuse } from './login.ts';
import { callbackAt } from './login-callback.ts';
import type { LoginPorts } from './open-login.ts';
import { openLogin } from './open-login.ts';
import { readConfiguration } from './read-configuration.ts';
import { findLoginRoute } from './upstream-route.ts';

/** Takes a login out of the store, after it was revoked where the server can do that. Answers the exit code: 0 gone, 3 not. */
export async function logout(
  wanted: LoginCommand,
  io: CommandIo,
  ports: Omit<LoginPorts, 'limitMs'>,
): Promise<number> {
  const configuration = readConfiguration(wanted.configurationFile, io);
  if (typeof configuration === 'number') return configuration;
  const found = findLoginRoute(configuration, wanted);
  if (typeof found === 'string') return refuse(found, io);
  const open = await openLogin(configuration, found, ports);
  try {
    const { route, person } = found;
    const redirectUris = [
      callbackAt(found.settings.redirectPort),
      `${new URL(configuration.publicUrl).origin}${callbackPath(found)}`,
    ];
    const out = await logOut({ route, person, redirectUris }, open.parts);
    switch (out.is) {
      case 'unavailable':
        io.err(`The login is still there: ${out.detail}\n`);
        return exitCode.denied;
      case 'absent':
        io.out(`There was no login for route ${route.name}.\n`);
        return exitCode.ok;
      case 'gone':
        io.out(
          `Logged out of route ${route.name}; ${out.isRevoked ? 'the authorization server has revoked the tokens' : 'the authorization server could not be told, so the tokens end when they end'}.\n`,
        );
        return exitCode.ok;
    }
  } finally {
    open.close();
  }
}
