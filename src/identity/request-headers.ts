import type { Route } from '../config/configuration.ts';

/** Which of a client's header lines may go to the upstream. */
export interface RequestHeaderRules {
  readonly allows: (name: string) => boolean;
  /** Added to them: name, value, name, value … */
  readonly always: readonly string[];
}

/** Pass besides the prefixes; lower case. */
const alwaysAllowed = new Set(['user-agent', 'last-event-id']);

/** Framing is the forwarder's own affair, whatever the client said of it. */
const neverAllowed = new Set(['content-length', 'content-encoding']);

/**
 * An allow-list: `accept*`, `content-*`, `mcp-*`, `user-agent`, `last-event-id`, and what the route adds. A name
 * must be spelt with hyphens to be on it, so `X_Auth_Subject`, which some servers read as `X-Auth-Subject`, never
 * is; and no name of an identity header is, in whatever spelling. What `Connection` names makes no difference.
 */
export function requestHeaderRules(route: Route): RequestHeaderRules {
  const added = new Set(route.upstream.requestHeaders);
  const identity = new Set(identityNames(route).map(normalise));
  // Lists can only be filtered where the bytes of an answer are its text.
  const readsAnswers = route.policy?.hide === true;
  const judge = (name: string): boolean => {
    if (identity.has(name) || neverAllowed.has(name) || !canonical.test(name)) return false;
    if (readsAnswers && name === 'accept-encoding') return false;
    return prefixed.test(name) || alwaysAllowed.has(name) || added.has(name);
  };
  const judged = new Map<string, boolean>();
  return {
    always: readsAnswers ? ['accept-encoding', 'identity'] : [],
    allows(name) {
      const known = judged.get(name);
      if (known !== undefined) return known;
      const verdict = judge(name);
      if (judged.size < maximumJudged) judged.set(name, verdict);
      return verdict;
    },
  };
}

/** Clients write the same few names; invented ones are judged anew each time. */
const maximumJudged = 200;

const canonical = /^[a-z0-9-]+$/;
const prefixed = /^(?:accept(?:-[a-z]+)*|content-[a-z-]+|mcp-[a-z0-9-]+)$/;

function identityNames(route: Route): readonly string[] {
  const { headers, claims, assertion } = route.identity;
  return [
    ...Object.values(headers),
    ...claims.map(({ header }) => header),
    ...(assertion === undefined ? [] : [assertion.header]),
  ];
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[_.]/g, '-');
}

function holdsName(headers: readonly string[], name: string): boolean {
  return headers.some((entry, index) => index % 2 === 0 && entry === name);
}

/** Two lines of one of these can be read as either. */
const singletons = new Set([
  'content-type',
  'mcp-session-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'last-event-id',
]);

/** MCP servers want to see both of their types by name, and answer 406 to a client that says it takes anything. */
const everyAnswer = 'application/json, text/event-stream';

/**
 * The client's lines that pass, as name, value, name, value …; undefined where a line that must be the only one
 * of its name isn't.
 */
export function passingHeaders(
  rawHeaders: readonly string[],
  rules: RequestHeaderRules,
): string[] | undefined {
  const passing: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!rules.allows(name)) continue;
    if (singletons.has(name) && holdsName(passing, name)) return undefined;
    const value = rawHeaders[index + 1] ?? '';
    passing.push(name, name === 'accept' && value === '*/*' ? everyAnswer : value);
  }
  if (rules.always.length > 0) passing.push(...rules.always);
  return passing;
}
