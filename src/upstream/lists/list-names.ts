import type { ListName } from '../../vocabulary/answer-filter.ts';

/** What names an item of each list. */
export const itemNames: Readonly<Record<ListName, string>> = {
  tools: 'name',
  prompts: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
};

export const listNames = Object.keys(itemNames) as readonly ListName[];

/** As Go's encoding/json compares names: it takes `Tools` for `tools`. */
export function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

const foldedLists = new Set(listNames.map(fold));

/** Whether a member of a result is a list to any reader, by its name. */
export function isListName(name: string): boolean {
  return foldedLists.has(fold(name));
}
