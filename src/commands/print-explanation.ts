import { keyOf } from '../token/check-claims.ts';
import type { Line } from './describe-step.ts';
import { describeStep, faultText, parsedIn } from './describe-step.ts';
import { callLines, decidedBy } from './describe-call.ts';
import type { Explanation, Presented } from './explanation.ts';

const guide = 'docs/guides/read-a-refusal.md';

/** The explanation as text for a terminal. Claims appear only where they decide, shortened and escaped. */
export function printExplanation(explanation: Explanation): string {
  const { route } = explanation;
  const checks = linesOf(explanation).map(
    ({ mark, check, says }) => `  ${mark.padEnd(4)}  ${check.padEnd(checkWidth)}  ${says}`,
  );
  const all = [`route ${route.name}, ${route.resource}`, ...checks, ...resultOf(explanation)];
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
  return [...callerLines(explanation), ...callLines(explanation)];
}

function callerLines(explanation: Explanation): readonly Line[] {
  const { outcome, presented, steps, instead, route, call } = explanation;
  if (route.access === 'open')
    return [{ mark: '-', check: 'credentials', says: 'not looked at: the route is open' }];
  if (instead === 'claims') return [claimsLine, ...requestLines(explanation)];
  if (instead === 'nothing' && (route.access === 'optional' || call !== undefined))
    return [{ mark: '-', check: 'credentials', says: 'none: the caller is nobody' }];
  const fault = 'refusal' in outcome ? faultText(outcome.refusal) : '';
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
  if ('principal' in outcome && outcome.principal !== undefined)
    return [...lines, ...requestLines(explanation)];
  // What an authorization server said of a token is judged in one.
  const told = lines.some(({ mark }) => mark === 'FAIL');
  return told ? lines : [...lines, { mark: 'FAIL', check: 'answer', says: fault }];
}

const claimsLine: Line = {
  mark: '-',
  check: 'claims',
  says: 'taken as if a token had held: no signature, time or audience was looked at',
};

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
function requestLines({ route, presented, outcome, call }: Explanation): readonly Line[] {
  const principal = 'principal' in outcome ? outcome.principal : undefined;
  if (principal === undefined) return [];
  const list = (scopes: readonly string[]): string => (scopes.length === 0 ? 'none' : scopes.join(' '));
  const scopes: Line = {
    mark: outcome.is === 'allowed' || call !== undefined ? 'ok' : 'FAIL',
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

function resultOf({ outcome, call }: Explanation): readonly string[] {
  const by = decidedBy(call);
  if (outcome.is === 'open' || outcome.is === 'nobody')
    return [`allowed${by}: no credentials are needed, and nobody is known`];
  if (outcome.is === 'allowed') {
    const { subject, issuer } = outcome.principal;
    return [`allowed${by}: subject ${JSON.stringify(subject)} of ${JSON.stringify(issuer)}`];
  }
  const { refusal, answer } = outcome;
  const told = ['www-authenticate', 'retry-after'].flatMap((name) =>
    [answer.headers[name] ?? []].flat().map((value) => `  ${name}: ${value}`),
  );
  // A hidden name is told apart by its body alone.
  const body = refusal.kind === 'call-denied' ? [`  ${answer.body}`] : [];
  const says =
    outcome.is === 'undecided'
      ? "can't be decided now: the authorization server can't be asked"
      : `denied${by}`;
  return [
    `${says}. The client gets ${answer.status}; log and audit say ${refusal.reason}`,
    ...told,
    ...body,
    `  what to do: ${guide}, ${refusal.reason}`,
  ];
}
