/** An authorization server seen from its users, whose keys come and go while they ask. */
import type { Issuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import { mintKey, type SigningKey } from '../support/signing-key.ts';
import type { Question } from './load.ts';

/** An authorization server with its users, and what must be true of their tokens now. */
export class Subscribed {
  readonly name: string;
  readonly issuer: Issuer;
  readonly #resource: string;
  readonly #statuses: readonly number[];
  /** How often the newest key was replaced, and up to where the gateway has been seen to know it. */
  generation = 0;
  #seen = 0;
  #people: readonly string[] = [];
  /** Those of before an overlap. */
  #overlapped: readonly string[] = [];
  /** Tokens of keys that are gone, with the generation whose being served proves that the gateway knows. */
  readonly #retired: { readonly token: string; readonly subject: string; readonly over: number }[] = [];
  #signing: SigningKey;
  #asked = 0;

  constructor(parts: { name: string; issuer: Issuer; resource: string; statuses: readonly number[] }) {
    this.name = parts.name;
    this.issuer = parts.issuer;
    this.#resource = parts.resource;
    this.#statuses = parts.statuses;
    this.#signing = parts.issuer.key('ES256');
    this.#signAnew();
  }

  /** The key is replaced from one moment to the next. */
  rotate(): void {
    this.#replaceKey((fresh) => [fresh]);
    this.#retire(this.generation);
    this.#signAnew();
  }

  /** A new key signs, the old ones are still published. */
  overlap(): void {
    this.#replaceKey((fresh) => [...this.issuer.keys, fresh]);
    this.#overlapped = this.#people;
    this.#signAnew();
  }

  /** Ends the overlap; the next rotation proves that the gateway has noticed. */
  dropOthers(): void {
    this.issuer.publish([this.#signing]);
    this.#retire(this.generation + 1, this.#overlapped);
  }

  /** Waits until a token of the newest key was let through. */
  async servesNewest(when: string, withinMs: number): Promise<void> {
    await eventually(
      `${this.name}, ${when}, serves its newest key`,
      () => this.#seen >= this.generation,
      withinMs,
    );
  }

  /** One of a few tokens that were asked with before; its signature is remembered. */
  known(): Question {
    const at = this.#next() % this.#people.length;
    return this.#good(this.name, this.#people[at] ?? '', `${this.name}-${at}`);
  }

  /** A token that nobody has seen. */
  fresh(): Question {
    const subject = `${this.name}-new-${this.#next()}`;
    return this.#good(`${this.name}, new`, this.token(subject), subject);
  }

  /** Of a key that is no longer published, remembered when it was. */
  retired(): Question {
    const found = this.#retired[this.#next() % Math.max(1, this.#retired.length)];
    if (found === undefined) return this.known();
    const isOver = this.#seen >= found.over;
    return {
      kind: 'retired',
      ...found,
      issuer: this.issuer.url,
      right: () => (isOver ? [401, 503] : [200, 401, 503]),
    };
  }

  /** Whatever is bad about a token, it never opens. */
  bad(kind: string, token: string): Question {
    const right = kind === 'invented' || this.#statuses.length > 1 ? [401, 503] : [401];
    return { kind: `${this.name}, ${kind}`, token, subject: '', issuer: '', right: () => right };
  }

  token(subject: string, header: Readonly<Record<string, unknown>> = {}, key = this.#signing): string {
    return this.issuer.token({ key, header, claims: { aud: this.#resource, sub: subject } });
  }

  expired(): string {
    return this.issuer.token({ key: this.#signing, claims: { aud: this.#resource, exp: 1_700_000_000 } });
  }

  #good(kind: string, token: string, subject: string): Question {
    const { generation } = this;
    const signed = this.#signing;
    return {
      kind,
      token,
      subject,
      issuer: this.issuer.url,
      // Its key may have been withdrawn while it was under way: then nothing can be said against 401.
      right: () => (this.issuer.keys.includes(signed) ? this.#statuses : [200, 401, 503]),
      served: () => (this.#seen = Math.max(this.#seen, generation)),
    };
  }

  #replaceKey(published: (fresh: SigningKey) => readonly SigningKey[]): void {
    this.#signing = mintKey('ES256');
    this.issuer.publish(published(this.#signing));
    this.generation += 1;
  }

  #retire(over: number, tokens = this.#people): void {
    for (const [at, token] of tokens.entries())
      this.#retired.push({ token, subject: `${this.name}-${at}`, over });
  }

  #signAnew(): void {
    this.#people = Array.from({ length: 8 }, (_, at) => this.token(`${this.name}-${at}`));
  }

  #next(): number {
    this.#asked += 1;
    return this.#asked;
  }
}
