import { setTimeout as sleep } from 'node:timers/promises';

import { Pool } from 'undici';

import { diceFrom } from '../support/differential/dice.ts';
import type { Dice } from '../support/differential/dice.ts';
import type { Fault, FaultyUpstream } from './faulty-upstream.ts';
import type { Asker, People } from './people.ts';

export interface LoadParts {
  readonly origin: string;
  readonly upstream: FaultyUpstream;
  /** Whose servers stay, and whose are disturbed. */
  readonly people: readonly [steady: People, disturbed: People];
  readonly seed: number;
}

const callers = 6;
const listeners = 2;
const pauseMs = 5;

/** What each fault of an upstream may look like to the client; a number is a status. */
const looks: Readonly<Record<Fault, readonly (number | 'broken')[]>> = {
  reset: [502],
  garbage: [502],
  hang: [504],
  cut: [502, 'broken'],
};

/** Calls and streams of many users at one time. Each answer is judged when it came; what can't be explained is kept. */
export class Load implements AsyncDisposable {
  /** Sentences about answers that nothing explains. */
  readonly unexplained: string[] = [];
  readonly tally = new Map<string, number>();
  /** Answers that held another one's nonce or name. */
  crossed = 0;
  asked = 0;
  streams = 0;
  readonly #parts: LoadParts;
  readonly #pool: Pool;
  readonly #dice: Dice;
  #workers: Promise<unknown> = Promise.resolve();
  #goesOn = false;

  constructor(parts: LoadParts) {
    this.#parts = parts;
    this.#dice = diceFrom(parts.seed);
    this.#pool = new Pool(parts.origin, { connections: callers + listeners, pipelining: 1 });
  }

  start(): void {
    this.#goesOn = true;
    const workers = [
      ...Array.from({ length: callers }, () => this.#repeat(() => this.#call())),
      ...Array.from({ length: listeners }, () => this.#repeat(() => this.#listen())),
    ];
    this.#workers = Promise.all(workers);
  }

  /** Settles when nothing is under way. */
  async rest(): Promise<void> {
    this.#goesOn = false;
    await this.#workers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest();
    await this.#pool.destroy();
  }

  async #repeat(act: () => Promise<void>): Promise<void> {
    while (this.#goesOn) {
      await act();
      await sleep(pauseMs);
    }
  }

  async #call(): Promise<void> {
    this.asked += 1;
    const nonce = `n${this.asked}`;
    const asker = this.#asker();
    const name = this.#dice.chance(0.3) ? 'stream' : 'whoami';
    const body = JSON.stringify({ jsonrpc: '2.0', id: nonce, method: 'tools/call', params: { name } });
    const { status, text } = await this.#ask('POST', asker, body);
    this.#judge({ status, text, nonce, asker });
  }

  async #ask(
    method: 'POST',
    { token }: Asker,
    body: string,
  ): Promise<{ status: number | 'broken'; text: string }> {
    try {
      const answer = await this.#pool.request({ method, path: '/mcp', headers: headersWith(token), body });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (error) {
      return { status: 'broken', text: String(error) };
    }
  }

  #judge({ status, text, nonce, asker }: Answered): void {
    const fault = this.#parts.upstream.takeFault(nonce);
    this.#count(`${fault ?? 'call'} ${status}`);
    const right =
      fault === undefined
        ? asker.right()
        : [...looks[fault], ...asker.right().filter((each) => each !== 200)];
    if (!right.some((each) => each === status))
      this.unexplained.push(`${fault ?? 'a call'} of ${asker.subject}: ${status} ${text.slice(0, 200)}`);
    if (status !== 200) return;
    const { nonce: told, subject } = (JSON.parse(text.replace(/^data: /, '')) as Told).result;
    if (told !== nonce || subject !== asker.subject) this.crossed += 1;
  }

  /** Opens a stream, hears three events, and leaves without a word. */
  async #listen(): Promise<void> {
    this.streams += 1;
    const asker = this.#parts.people[0].asker(`listener-${this.streams % 40}`, 'known');
    try {
      const { statusCode, body } = await this.#pool.request({
        method: 'GET',
        path: '/mcp',
        headers: headersWith(asker.token),
      });
      this.#count(`stream ${statusCode}`);
      if (statusCode !== 200)
        this.unexplained.push(`a stream: ${statusCode} ${(await body.text()).slice(0, 200)}`);
      let text = '';
      for await (const chunk of body) {
        text += String(chunk);
        if (text.split('\n\n').length > 3) break;
      }
      const events = text.split('\n\n').filter((event) => event.startsWith('data: ') && event.endsWith('}'));
      const others = events.filter(
        (event) => (JSON.parse(event.slice(6)) as { subject: string }).subject !== asker.subject,
      );
      this.crossed += others.length;
      if (events.length === 0) this.unexplained.push('a stream without an event');
    } catch (error) {
      this.unexplained.push(`a stream: ${String(error)}`);
    }
  }

  #asker(): Asker {
    const [steady, disturbed] = this.#parts.people;
    const people = this.#dice.chance(0.5) ? steady : disturbed;
    if (this.#dice.chance(0.02)) return people.stranger();
    return people.asker(`user-${this.#dice.below(50)}`, this.#dice.chance(0.05) ? 'new' : 'known');
  }

  #count(word: string): void {
    this.tally.set(word, (this.tally.get(word) ?? 0) + 1);
  }
}

interface Answered {
  readonly status: number | 'broken';
  readonly text: string;
  readonly nonce: string;
  readonly asker: Asker;
}

interface Told {
  readonly result: { readonly nonce: string; readonly subject: string };
}

function headersWith(token: string): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
  };
}
