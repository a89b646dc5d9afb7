import type { State } from './state.ts';

/** What an embedding program keeps in a place of its own instead of where the configuration says. */
export interface GivenState extends Partial<Pick<State, 'replays' | 'rateOf' | 'recordsIn'>> {
  /** At the end of the gateway, once. */
  close?(): Promise<void> | void;
}

/** `state` with what is given in place of its own; methods stay those of the object that was given. */
export function withGiven(state: State, given: GivenState): State {
  const { replays } = given;
  const [rateOf, recordsIn] = [given.rateOf?.bind(given), given.recordsIn?.bind(given)];
  return {
    ...state,
    ...(replays === undefined ? {} : { replays }),
    ...(rateOf === undefined ? {} : { rateOf }),
    ...(recordsIn === undefined ? {} : { recordsIn }),
  };
}
