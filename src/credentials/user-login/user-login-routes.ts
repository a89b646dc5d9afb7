import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';

import { pageHeaders } from '../../vocabulary/page.ts';
import type { Refusal } from '../../vocabulary/refusal.ts';
import type { LoginCookie } from './login-cookie.ts';
import { loginCookie } from './login-cookie.ts';
import { loginPath } from './login-links.ts';
import { readForm } from './read-form.ts';
import type { Told } from './told.ts';
import type { UserLogins } from './user-logins.ts';
import type { Return } from './ways-back.ts';

export interface UserLoginOptions {
  readonly logins: UserLogins;
  readonly publicUrl: string;
  /** Counts a visit of this address; answers why it is refused. */
  readonly barred: (address: string | undefined) => Refusal | undefined;
}

const publicRoute = { access: 'public' } as const;

/** The pages where people log in at upstreams themselves. They ask for no token: who a visitor is, they find out. */
export const userLoginRoutes: FastifyPluginCallback<UserLoginOptions> = (
  scope,
  { logins, publicUrl, barred },
  ready,
) => {
  const cookie = loginCookie(publicUrl);
  const held = (request: FastifyRequest): string | undefined => cookie.read(request.headers.cookie);
  const visit = (told: (request: FastifyRequest) => Promise<Told>) => {
    return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      answer({ request, reply, cookie }, await told(request));
      return reply;
    };
  };
  scope.addHook('onRequest', (request, reply, next) => {
    const refusal = barred(request.ip);
    if (refusal !== undefined) return reply.refuse(refusal);
    next();
  });
  scope.get(
    loginPath,
    { config: publicRoute },
    visit((request) => {
      const [ticket, ...others] = returnOf(request).parameters.getAll('ticket');
      return logins.start(others.length === 0 ? ticket : undefined);
    }),
  );
  scope.get(
    `${loginPath}/identity/*`,
    { config: publicRoute },
    visit((request) => logins.prove(held(request), returnOf(request))),
  );
  scope.post(
    `${loginPath}/consent`,
    { config: publicRoute },
    visit(async (request) => {
      const form = isFromElsewhere(request) ? undefined : await readForm(request.raw);
      return logins.consent(held(request), form ?? new URLSearchParams());
    }),
  );
  scope.get(
    `${loginPath}/callback/*`,
    { config: publicRoute },
    visit((request) => logins.finish(held(request), returnOf(request))),
  );
  ready();
};

function returnOf({ raw: { url = '' } }: FastifyRequest): Return {
  const [path = '', ...query] = url.split('?');
  return { path, parameters: new URLSearchParams(query.join('?')) };
}

/** What browsers say of a form that a page of another site sent. */
function isFromElsewhere({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin';
}

function answer(
  {
    request,
    reply,
    cookie,
  }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly cookie: LoginCookie },
  told: Told,
): void {
  request.loginVisit = told.about ?? null;
  if (reply.raw.destroyed) return;
  if (told.is === 'refused') {
    if (told.isOver) reply.header('set-cookie', cookie.write(undefined));
    return reply.refuse(told.refusal);
  }
  reply.headers(pageHeaders).header('x-request-id', request.id).header('set-cookie', cookie.write(told.held));
  if (told.is === 'redirect') void reply.code(303).header('location', told.to).send();
  else void reply.code(200).send(told.page);
}
