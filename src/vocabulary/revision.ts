/** The first revision without sessions, and with headers that repeat what the body says. Revisions are dates: they compare as text. */
const firstModern = '2026-07-28';

/** All that the gateway knows, the newest first. */
export const knownRevisions: readonly string[] = [
  firstModern,
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
];

/** Whether this is a revision of MCP that the gateway knows. */
export function isKnownRevision(revision: string | string[]): boolean {
  return typeof revision === 'string' && knownRevisions.includes(revision);
}

/** Whether this is a revision of MCP from 2026-07-28 on. What is no date isn't one. */
export function isModernRevision(revision: string | string[] | undefined): boolean {
  return typeof revision === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(revision) && revision >= firstModern;
}
