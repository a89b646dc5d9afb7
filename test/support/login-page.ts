/** The one page of the authorization server: who are you, and do you allow it? Any name is believed. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Interaction, Provider } from 'oidc-provider';

/** Shows the page (GET) or takes its answer (POST) and sends the browser on its way. */
export async function serveLoginPage(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(page(interaction));
    return;
  }
  const form = new URLSearchParams(await text(request));
  const accountId = interaction.session?.accountId ?? form.get('account') ?? '';
  const grantId = await allow(provider, interaction, accountId);
  await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId } });
}

/** Grants all that was asked for, for OpenID Connect and for each resource (RFC 8707). */
async function allow(provider: Provider, interaction: Interaction, accountId: string): Promise<string> {
  const { client_id: clientId, scope = '', resource = [] } = interaction.params;
  const held = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId);
  const grant = held ?? new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  for (const one of [resource].flat()) grant.addResourceScope(one, scope);
  return grant.save();
}

function page({ params, session }: Interaction): string {
  const who =
    session === undefined
      ? '<label>Name <input name="account" value="alice" autofocus></label> (any name will do)'
      : `Signed in as <b>${escape(session.accountId)}</b>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<body style="font: 16px/1.5 system-ui; max-width: 36em; margin: 4em auto">
<h1>Sign in</h1>
<p>The client <code>${escape(params.client_id)}</code> asks for <code>${escape(params.scope ?? '')}</code>
at <code>${escape([params.resource ?? 'this server'].flat().join(', '))}</code>.</p>
<form method="post"><p>${who}</p><button>Sign in and allow</button></form>
</body></html>`;
}

function escape(value: string): string {
  return value.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
