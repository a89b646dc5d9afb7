/** The first revision without sessions, and with headers that repeat what the body says. Revisions are dates: they compare as text. */
const firstModern = '2026-07-28';

/** Whether this is a revision of MCP from 2026-07-28 on. What is no date isn't one. */
export function isModernRevision(revision: string | string[] | undefined): boolean {
  return typeof revision === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(revision) && revision >= firstModern;
}
