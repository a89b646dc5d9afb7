import type { Route } from '../config/configuration.ts';
import type { Principal } from './principal.ts';

/** The members of a result that make it a list (MCP 2024-11-05 to 2026-07-28). */
export type ListName = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** Who a list is for, and where. */
export interface ListReader {
  readonly principal: Principal | null;
  readonly route: Route;
}

/**
 * What a server's lists may show to whom. One for each route, so that nothing is made for a request: who asks is told
 * with each question.
 */
export interface AnswerFilter {
  /** Whether an item of a list is shown. `name` is a tool's or prompt's name, a resource's URI, a template's URI template. */
  readonly shows: (list: ListName, name: string, reader: ListReader) => boolean;
}
