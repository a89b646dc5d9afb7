import { keyOf } from '../token/check-claims.ts';
import type { Line } from './describe-step.ts';
import { describeStep, faultText, parsedIn } from './describe-step.ts';
import type { Explanation, Outcome, Presented } from './explanation.ts';

const guide = 'docs/guides/read-a-refusal.md';

/** The explanation as text for a terminal. Claims appear only where they decide, shortened and escaped. */
export function printExplanation(explanation: Explanation): string {
  const { route, outcome } = explanation;
  const checks = linesOf(explanation).map(
    ({ mark, check, says }) => `  ${mark.padEnd(4)}  ${check.padEnd(checkWidth)}  ${says}`,
  );
  const all = [`route ${route.name}, ${route.resource}`, ...checks, ...resultOf(outcome)];
  return all.map((line) => `${withoutControls(line)}\n`).join('');
}

const checkWidth = 'introspection'.length;

/** What a token says mustn't move the cursor, nor turn the direction of the text. */
function withoutControls(line: string): string {
  return line.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** In the order of the gateway, whose first fault decides; the claims after it are judged all the same. */
function linesOf(explanation: Explanation): readonly Line[] {
  const { outcome, presented, steps } = explanation;
  if (outcome.is === 'open')
    return [{ mark: '-', check: 'credentials', says: 'not looked at: the route is open' }];
  const fault = outcome.is === 'allowed' ? '' : faultText(outcome.refusal);
  if (presented === undefined) return [{ mark: 'FAIL', check: 'credentials', says: fault }];
  const jwt = parsedIn(steps);
  const lines = [
    credentialsLine(presented),
    ...(jwt === undefined && presented.isOpaque ? [opaqueLine(explanation)] : []),
    ...steps
      .filter(
        (step) => explanation.route.tenant !== undefined || !('check' in step && step.check === 'tenant'),
      )
      .map((step) => describeStep(step, jwt, explanation)),
  ];
  if (outcome.principal !== undefined) return [...lines, ...requestLines(explanation, outcome)];
  // What an authorization server said of a token is judged in one.
  const told = lines.some(({ mark }) => mark === 'FAIL');
  return told ? lines : [...lines, { mark: 'FAIL', check: 'answer', says: fault }];
}

function credentialsLine({ scheme, length }: Presented): Line {
  return { mark: 'ok', check: 'credentials', says: `one token of ${length} characters, sent as ${scheme}` };
}

function opaqueLine({ route }: Explanation): Line {
  const asked = route.authorizationServers.filter(({ introspection }) => introspection !== undefined);
  const whom =
    asked.length === 0
      ? 'no authorization server of this route is asked about such tokens (introspection)'
      : `only its authorization server can say what it is: ${asked.map(({ name }) => name).join(', ')}`;
  return { mark: '-', check: 'opaque', says: `not a JWT; ${whom}` };
}

/** What is looked at besides the token. */
function requestLines(
  { route, presented }: Explanation,
  outcome: Exclude<Outcome, { readonly is: 'open' }>,
): readonly Line[] {
  const { principal } = outcome;
  if (principal === undefined) return [];
  const list = (scopes: readonly string[]): string => (scopes.length === 0 ? 'none' : scopes.join(' '));
  const scopes: Line = {
    mark: outcome.is === 'allowed' ? 'ok' : 'FAIL',
    check: 'scopes',
    says: `the route needs ${list(route.scopes)}; granted: ${list(principal.scopes)}`,
  };
  if (presented?.scheme !== 'DPoP') return [scopes];
  const jkt = keyOf(principal.claims) ?? 'of the token';
  return [
    {
      mark: '-',
      check: 'proof',
      says: `each request must prove that it has the key ${jkt}; not looked at here`,
    },
    scopes,
  ];
}

function resultOf(outcome: Outcome): readonly string[] {
  if (outcome.is === 'open') return ['allowed: no credentials are needed, and nobody is known'];
  if (outcome.is === 'allowed') {
    const { subject, issuer } = outcome.principal;
    return [`allowed: subject ${JSON.stringify(subject)} of ${JSON.stringify(issuer)}`];
  }
  const { refusal, answer } = outcome;
  const told = ['www-authenticate', 'retry-after'].flatMap((name) =>
    [answer.headers[name] ?? []].flat().map((value) => `  ${name}: ${value}`),
  );
  const says =
    outcome.is === 'undecided' ? "can't be decided now: the authorization server can't be asked" : 'denied';
  return [
    `${says}. The client gets ${answer.status}; log and audit say ${refusal.reason}`,
    ...told,
    `  what to do: ${guide}, ${refusal.reason}`,
  ];
}
