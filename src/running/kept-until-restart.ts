import { isDeepStrictEqual } from 'node:util';

import type { Configuration } from '../config/configuration.ts';

export interface KeptUntilRestart {
  /** What can be put in force now. */
  readonly configuration: Configuration;
  /** Keys of the file that say something else than what stays in force, such as `listen.port`. */
  readonly needRestart: readonly string[];
}

/** What a running gateway has opened for itself stays as it is: its listeners, its audit, its state. */
export function keepUntilRestart(running: Configuration, wanted: Configuration): KeptUntilRestart {
  const { listen, ops, log, state } = wanted;
  const servesTls = running.listen.tls !== undefined && listen.tls !== undefined;
  const changed: readonly (readonly [string, unknown, unknown])[] = [
    ['listen.host', running.listen.host, listen.host],
    ['listen.port', running.listen.port, listen.port],
    // A certificate can be renewed while the listener stands; whether there is one can't change under clients.
    ['listen.tls', running.listen.tls === undefined, listen.tls === undefined],
    ['ops', running.ops, ops],
    ['log.audit', running.log.audit, log.audit],
    ['state', running.state, state],
  ];
  return {
    configuration: {
      ...wanted,
      listen: { ...running.listen, trustProxy: listen.trustProxy, ...(servesTls ? { tls: listen.tls } : {}) },
      ops: running.ops,
      log: { level: log.level, audit: running.log.audit },
      state: running.state,
    },
    needRestart: changed.filter(([, is, was]) => !isDeepStrictEqual(is, was)).map(([key]) => key),
  };
}
