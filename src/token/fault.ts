import type { TokenReason } from '../vocabulary/refusal.ts';

/** Why a token isn't accepted. `detail` is for the operator's log. */
export interface TokenFault {
  readonly reason: TokenReason;
  readonly detail?: string;
}

/** Claims go into the log shortened and in one line; JSON's quoting escapes what could break it. */
export function quoted(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
