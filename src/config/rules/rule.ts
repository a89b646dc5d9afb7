import type { Draft } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Listening } from '../environment.ts';

/** Looks at several keys together; says nothing of a value that is faulty by itself. */
export type Rule = (draft: Draft, overrides: Listening) => readonly Finding[];
