import type { Authority } from '../authorization-servers/authority.ts';
import type { FoundKeys } from '../authorization-servers/keys/key-set.ts';
import type { TokenFault } from '../token/fault.ts';
import { quoted } from '../token/fault.ts';
import type { ParsedJwt } from '../token/parse-jwt.ts';
import type { ClaimCheck, Step } from '../token/trace.ts';
import { describeTimes } from './describe-times.ts';
import type { Explanation } from './explanation.ts';

/** What was looked at, whether it held, what was found. */
export interface Line {
  readonly mark: 'ok' | 'FAIL' | '-';
  readonly check: string;
  readonly says: string;
}

/** One step of the verification in a line. */
export function describeStep(step: Step, jwt: ParsedJwt | undefined, explanation: Explanation): Line {
  const check = step.step === 'claim' ? step.check : step.step;
  const line = (fault: TokenFault | undefined, says: string): Line =>
    fault === undefined ? { mark: 'ok', check, says } : { mark: 'FAIL', check, says: faultText(fault) };
  switch (step.step) {
    case 'form':
      return 'reason' in step.found ? line(step.found, '') : line(undefined, formText(step.found));
    case 'issuer': {
      const says = issuerText(step.candidates, jwt, explanation);
      return { mark: step.candidates.length === 0 ? 'FAIL' : 'ok', check, says };
    }
    case 'algorithm':
      return line(step.fault, `${jwt?.header.alg} is one that ${step.authority.server.name} may use`);
    case 'key':
      return {
        mark: step.found.outcome === 'found' ? 'ok' : 'FAIL',
        check,
        says: `${keyText(step.found, jwt)} ${sourceText(step.authority, explanation)}`,
      };
    case 'signature': {
      const { name } = step.authority.server;
      return step.key === undefined
        ? { mark: 'FAIL', check, says: `token_signature: not made with a key of ${name}` }
        : line(undefined, `made with the key ${quoted(step.key.kid)} of ${name}`);
    }
    case 'introspection': {
      const { name } = step.authority.server;
      return step.answer.outcome === 'active'
        ? line(undefined, `${name} says that the token is active`)
        : { mark: 'FAIL', check, says: notActiveText(step.answer, name) };
    }
    case 'claim': {
      const held = claimText(step.check, { jwt, authority: step.authority, explanation });
      if (step.check !== 'times' || step.fault === undefined) return line(step.fault, held);
      return { mark: 'FAIL', check, says: `${faultText(step.fault)}; ${held}` };
    }
    default:
      return unreachable(step);
  }
}

function notActiveText(
  answer: Exclude<Extract<Step, { step: 'introspection' }>['answer'], { readonly outcome: 'active' }>,
  name: string,
): string {
  return answer.outcome === 'inactive'
    ? `${answer.expired ? 'token_expired' : 'token_inactive'}: ${name} says that the token isn't active`
    : `${answer.reason}: ${name}: ${answer.detail}`;
}

/** The word of log and audit, and what was found. */
export function faultText({ reason, detail }: { readonly reason: string; readonly detail?: string }): string {
  return detail === undefined ? reason : `${reason}: ${detail}`;
}

/** The token's header and claims, where it could be read. */
export function parsedIn(steps: readonly Step[]): ParsedJwt | undefined {
  const first = steps.find((step) => step.step === 'form');
  return first === undefined || 'reason' in first.found ? undefined : first.found;
}

function formText({ header }: ParsedJwt): string {
  const typ = header.type === 'none' ? 'no typ' : `typ ${quoted(header.type)}`;
  const kid = header.kid === undefined ? 'no kid' : `kid ${quoted(header.kid)}`;
  return `a signed JWT: alg ${quoted(header.alg)}, ${typ}, ${kid}`;
}

function issuerText(
  candidates: readonly Authority[],
  jwt: ParsedJwt | undefined,
  { route }: Explanation,
): string {
  const iss = `iss ${quoted(jwt?.claims['iss'])}`;
  if (candidates.length > 0) return `${iss}: ${candidates.map(({ server }) => server.name).join(', ')}`;
  const trusted = route.authorizationServers.map(({ name, issuers }) => `${name} (${issuers.join(', ')})`);
  return `issuer_not_trusted: ${iss}; this route trusts ${trusted.join(', ')}`;
}

function keyText(found: FoundKeys, jwt: ParsedJwt | undefined): string {
  const { kid } = jwt?.header ?? {};
  const wanted = kid === undefined ? 'no kid' : `kid ${quoted(kid)}`;
  switch (found.outcome) {
    case 'found':
      return `${wanted}: ${found.keys.map(({ jwk }) => jwk.crv ?? jwk.kty).join(', ')} key of`;
    case 'unknown':
      return `key_unknown: ${wanted} fits no key of`;
    case 'unavailable':
      return `${found.reason}: no keys of`;
    default:
      return unreachable(found);
  }
}

function sourceText({ server }: Authority, { keySources }: Explanation): string {
  const source = keySources.get(server.name);
  if (source === undefined) return server.name;
  const { fetch, url } = source;
  const took = `${Math.round(fetch.durationMs)} ms`;
  return fetch.outcome === 'success'
    ? `${server.name}, fetched just now in ${took} from ${url ?? 'its key endpoint'} (${fetch.keys} keys)`
    : `${server.name}, asked just now for ${took}: ${fetch.detail ?? 'no answer'}`;
}

interface ClaimContext {
  readonly jwt: ParsedJwt | undefined;
  readonly authority: Authority;
  readonly explanation: Explanation;
}

function claimText(check: ClaimCheck, { jwt, authority, explanation }: ClaimContext): string {
  const claims = jwt?.claims ?? {};
  switch (check) {
    case 'type':
      return `an access token by typ; accepted: ${authority.server.tokenTypes.join(', ')}`;
    case 'times':
      return describeTimes(claims, authority.server, explanation.nowMs);
    case 'audience':
      return `aud ${quoted(claims['aud'])} stands for this route`;
    case 'tenant': {
      const { tenant } = explanation.route;
      return tenant?.claim === undefined ? 'no claim has to name it' : `${tenant.claim} says ${tenant.name}`;
    }
    case 'subject':
      return `sub ${quoted(claims['sub'])}`;
    case 'confirmation':
      return explanation.presented?.scheme === 'DPoP' ? 'bound to a key' : 'not bound to a key';
    default:
      return unreachable(check);
  }
}

function unreachable(value: never): never {
  throw new Error(`nothing to say of ${JSON.stringify(value)}`);
}
