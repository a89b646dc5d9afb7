/** Secrets that can be found again wherever they end up, whatever was done to them on the way. */
import { randomBytes } from 'node:crypto';

/** Longer texts are looked for by pieces too: a log may have cut them. */
const pieceLength = 24;

export interface Leak {
  /** The name that the secret was minted with. */
  readonly secret: string;
  readonly place: string;
  /** How it looked there. */
  readonly form: string;
}

export class Secrets {
  readonly #values = new Map<string, string>();

  /** A new secret: letters and digits, so that it stays itself in URLs, headers and JSON. */
  mint(name: string): string {
    return this.watch(name, `canary${randomBytes(18).toString('hex')}`);
  }

  /** Watches a secret that was made elsewhere, such as a token. */
  watch(name: string, value: string): string {
    this.#values.set(name, value);
    return value;
  }

  /** Where secrets are found in these places: as they are, in part, reversed by no one but encoded by many. */
  leaksIn(places: Readonly<Record<string, string>>): readonly Leak[] {
    return Object.entries(places).flatMap(([place, text]) =>
      [...this.#values].flatMap(([secret, value]): readonly Leak[] => {
        const form = formsOf(value).find(([, written]) => text.includes(written))?.[0];
        return form === undefined ? [] : [{ secret, place, form }];
      }),
    );
  }
}

function formsOf(value: string): readonly (readonly [string, string])[] {
  const bytes = Buffer.from(value);
  return [
    ['as it is', value],
    ['its beginning', value.slice(0, pieceLength)],
    ['its end', value.slice(-pieceLength)],
    ['base64', bytes.toString('base64').replace(/=+$/, '').slice(0, -1)],
    ['base64url', bytes.toString('base64url').slice(0, -1)],
    ['hexadecimal', bytes.toString('hex')],
    ['as a URL component', encodeURIComponent(value)],
    ['as JSON within JSON', JSON.stringify(JSON.stringify(value)).slice(3, -3)],
  ];
}
