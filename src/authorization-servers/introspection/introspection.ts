import { hash, randomBytes } from 'node:crypto';

import type { AuthorizationServer, IntrospectionSettings } from '../../config/configuration.ts';
import type { SharedAnswers } from '../../state/shared-answers.ts';
import type { IntrospectionOutcome } from '../../vocabulary/observer.ts';
import type { ProbeResult, Switch } from './breaker.ts';
import { Breaker } from './breaker.ts';
import type { Lane } from './call-limits.ts';
import { CallLimits } from './call-limits.ts';
import { Flights } from '../flights.ts';
import type { IntrospectionAnswer } from './introspection-client.ts';
import type { HeardAnswer, Introspected } from './introspection-memory.ts';
import { IntrospectionMemory } from './introspection-memory.ts';
import { WaitingRoom } from '../waiting-room.ts';

/** The server couldn't be asked; nothing is known of the token. */
export interface NotIntrospected {
  readonly outcome: 'unavailable';
  readonly reason:
    | 'introspection_failed'
    | 'introspection_refused'
    | 'introspection_paused'
    | 'introspection_busy';
  readonly retryAfterSeconds: number;
  readonly detail: string;
}

export interface IntrospectionParts {
  /** Milliseconds; any epoch. */
  readonly clock: () => number;
  /** Asks the server about one token. Never rejects. */
  readonly ask: (token: string) => Promise<IntrospectionAnswer>;
  readonly onOutcome: (outcome: IntrospectionOutcome) => void;
  readonly onSwitch: (to: Switch) => void;
  /** What other gateways heard; absent: each asks for itself. */
  readonly shared?: SharedAnswers | undefined;
}

/** After a call that failed by itself; the breaker decides how long the server is left alone. */
const retryAfterSeconds = 5;

/**
 * What one authorization server says of tokens (RFC 7662): remembered for a bounded time, asked for once however
 * many want to know, not at all while the server is down, and never in numbers that would bring it down. Tokens are
 * held no longer than a call takes; what is kept, here and where other gateways look, is their digest. It proves that the server called the token active at most
 * `cache` ago, and doesn't look at what else it said.
 */
export class Introspection {
  readonly #cacheMs: number;
  /** What the answer depends on besides the token. */
  readonly #asked: readonly string[];
  readonly #parts: IntrospectionParts;
  readonly #memory: IntrospectionMemory;
  readonly #flights: Flights<Introspected | NotIntrospected>;
  readonly #limits: CallLimits;
  readonly #breaker: Breaker;
  readonly #rooms: Readonly<Record<Lane, WaitingRoom>> = { known: new WaitingRoom(), new: new WaitingRoom() };

  constructor(
    server: Pick<AuthorizationServer, 'issuers' | 'leeway' | 'verify'>,
    settings: IntrospectionSettings,
    parts: IntrospectionParts,
  ) {
    const { clock, onSwitch } = parts;
    this.#cacheMs = settings.cache;
    this.#asked = [server.issuers[0], settings.endpoint ?? '', settings.clientId];
    this.#parts = parts;
    this.#memory = new IntrospectionMemory(server, settings);
    this.#flights = new Flights(clock);
    this.#limits = new CallLimits(clock);
    this.#breaker = new Breaker({ clock, onSwitch, probe: () => this.#probe() });
  }

  /** Answers at once where it is remembered. `signed`: the token's signature by this server has been checked. */
  inspect(
    token: string,
    origin: 'signed' | 'unknown',
  ): Introspected | NotIntrospected | Promise<Introspected | NotIntrospected> {
    const key = hash('sha256', token, 'base64');
    const remembered = this.#memory.recall(key, this.#parts.clock());
    if (remembered !== undefined) {
      this.#parts.onOutcome('remembered');
      return remembered;
    }
    const lane: Lane = origin === 'signed' || this.#memory.hasBeenActive(key) ? 'known' : 'new';
    const room = this.#rooms[lane];
    // A flood of one invented token joins a single call: it is the waiting that has to end somewhere.
    if (room.isFull) return this.#notAsked('busy', 1, `too many wait for answers about ${lane} tokens`);
    return room.hold(this.#flights.share(key, this.#cacheMs, () => this.#ask(token, key, lane)));
  }

  /** Whether the server failed so often that it is left alone. */
  get isPaused(): boolean {
    return this.#breaker.isOpen;
  }

  /** Whether the server has called the token active before, however long ago. */
  knows(token: string): boolean {
    return this.#memory.hasBeenActive(hash('sha256', token, 'base64'));
  }

  async #ask(token: string, key: string, lane: Lane): Promise<Introspected | NotIntrospected> {
    const { clock, ask, onOutcome, shared } = this.#parts;
    const told = shared === undefined || this.#cacheMs === 0 ? undefined : await this.#recall(key, shared);
    if (told !== undefined) return told;
    const pause = await this.#breaker.pauseSeconds();
    if (pause !== undefined) return this.#notAsked('paused', pause, 'asked again when a probe succeeds');
    if (!this.#limits.enter(lane)) return this.#notAsked('busy', 1, `too many calls about ${lane} tokens`);
    const askedAt = clock();
    const answer = await ask(token);
    this.#limits.leave(lane);
    if (answer.ok) {
      this.#breaker.answered();
      onOutcome(answer.active ? 'active' : 'inactive');
      if (shared !== undefined && this.#cacheMs > 0) this.#tell(key, { ...answer, askedAt }, shared);
      return this.#memory.remember(key, { ...answer, askedAt });
    }
    this.#breaker.failed();
    return this.#notAsked(answer.fault, answer.retryAfterSeconds ?? retryAfterSeconds, answer.detail);
  }

  async #recall(key: string, shared: SharedAnswers): Promise<Introspected | undefined> {
    const heard = await shared.recall(this.#nameOf(key));
    const answer = heard === undefined ? undefined : this.#memory.adopt(key, heard, this.#parts.clock());
    if (answer !== undefined) this.#parts.onOutcome('shared');
    return answer;
  }

  /** Tokens that aren't active may be anyone's inventions: the store would fill with them. */
  #tell(key: string, { active, claims, askedAt }: HeardAnswer, shared: SharedAnswers): void {
    if (active) shared.keep(this.#nameOf(key), { claims, askedAt }, this.#cacheMs);
    else if (this.#memory.hasBeenActive(key)) shared.forget(this.#nameOf(key));
  }

  #nameOf(key: string): string {
    return hash('sha256', JSON.stringify([...this.#asked, key]), 'base64url');
  }

  #notAsked(
    outcome: 'failed' | 'refused' | 'paused' | 'busy',
    seconds: number,
    detail: string,
  ): NotIntrospected {
    this.#parts.onOutcome(outcome);
    return {
      outcome: 'unavailable',
      reason: `introspection_${outcome}`,
      retryAfterSeconds: seconds,
      detail,
    };
  }

  /** A token that nobody has: a server that works calls it inactive. */
  async #probe(): Promise<ProbeResult> {
    const answer = await this.#parts.ask(randomBytes(32).toString('base64url'));
    return answer.ok ? { alive: true } : { alive: false, ...answer };
  }
}
