import type { Configuration } from '../../config/configuration.ts';
import { TextSeal } from '../../state/text-seal.ts';
import type { PendingLogin } from '../oauth/login.ts';
import type { Person } from '../oauth/stored-login.ts';

/** What a link says: who may log in where, and until when. */
export interface LoginLink {
  readonly id: string;
  /** Name of the route. */
  readonly route: string;
  readonly tenant?: string;
  readonly upstream: string;
  /** Whose login it will be. */
  readonly person: Person;
  /** What the ID token of this person has in the claim that the configuration names. */
  readonly proof: string;
  readonly endsAtMs: number;
}

/** The browser has been sent to show who sits behind it. */
export interface Proving {
  readonly link: LoginLink;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly endsAtMs: number;
}

/** It was proved who it is, and the person is asked. */
export interface Asking {
  readonly link: LoginLink;
  readonly pending: PendingLogin;
  /** What the form has to bring back. */
  readonly form: string;
  readonly endsAtMs: number;
}

/** The person agreed, and the browser has been sent to the upstream's authorization server. */
export type Leaving = Omit<Asking, 'form'>;

export interface Steps {
  readonly link: LoginLink;
  readonly proving: Proving;
  readonly asking: Asking;
  readonly leaving: Leaving;
}

/** Another form of these is another word, so that replicas of two versions don't misread each other. */
const form = 1;

/**
 * Where a login stands, kept by the browser and not by the gateway: sealed, so that nobody reads, changes or makes one,
 * and each step for itself, so that none is taken for another. Who has one, has it until it ends: what may happen once is
 * for others to see to.
 */
export class LoginSeal {
  readonly #seal: TextSeal;
  readonly #clock: () => number;

  /** `clock` in milliseconds since the epoch. */
  constructor(
    { key, previous }: { readonly key: string } & Pick<Configuration['sessions'], 'previous'>,
    clock: () => number,
  ) {
    this.#seal = new TextSeal([key, ...previous], 'logins');
    this.#clock = clock;
  }

  close<Step extends keyof Steps>(step: Step, held: Steps[Step]): string {
    return this.#seal.seal(JSON.stringify(held), `${form} ${step}`);
  }

  /** `ended`: it was one, and its time is over. */
  open<Step extends keyof Steps>(step: Step, sealed: string): Steps[Step] | 'ended' | undefined {
    const text = this.#seal.open(sealed, `${form} ${step}`);
    if (text === undefined) return undefined;
    const held = JSON.parse(text) as Steps[Step];
    return held.endsAtMs > this.#clock() ? held : 'ended';
  }
}
