import type { BothWays } from './legs.ts';

/**
 * Each way in which the gateway is seen: totals, exit code, and the verdict on every check. Nothing when there is
 * none.
 */
export function differences({ direct, through }: BothWays): readonly string[] {
  const figures = (['passed', 'failed', 'exitCode'] as const)
    .filter((name) => direct[name] !== through[name])
    .map((name) => `${name}: ${direct[name]} directly, ${through[name]} through the gateway`);
  return [
    ...figures,
    ...without(direct.checks, through.checks).map((check) => `only directly: ${check}`),
    ...without(through.checks, direct.checks).map((check) => `only through the gateway: ${check}`),
  ];
}

/** What stands in `these` more often than in `those`. */
function without(these: readonly string[], those: readonly string[]): readonly string[] {
  const rest = [...those];
  return these.filter((check) => {
    const at = rest.indexOf(check);
    if (at === -1) return true;
    rest.splice(at, 1);
    return false;
  });
}
