import type { AuthorizationServer } from '../../config/configuration.ts';
import type { SharedAnswers } from '../../state/shared-answers.ts';
import type { Observer } from '../../vocabulary/observer.ts';
import { Introspection } from './introspection.ts';
import type { IntrospectionPorts } from './introspection-client.ts';
import { IntrospectionClient } from './introspection-client.ts';

export interface IntrospectionSurroundings extends IntrospectionPorts {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly observer: Pick<Observer, 'introspected' | 'introspectionSwitched'>;
  readonly shared?: SharedAnswers | undefined;
}

/** Nothing is asked yet. Undefined where the configuration has no introspection for this server. */
export function openIntrospection(
  server: AuthorizationServer,
  { clock, observer, shared, ...ports }: IntrospectionSurroundings,
): Introspection | undefined {
  const { introspection: settings, name } = server;
  if (settings === undefined) return undefined;
  const client = new IntrospectionClient(server, settings, ports);
  return new Introspection(server, settings, {
    clock,
    ask: (token) => client.ask(token),
    onOutcome: (outcome) => observer.introspected(name, outcome),
    onSwitch: (to) => observer.introspectionSwitched({ authorizationServer: name, ...to }),
    shared,
  });
}
