import type { Path } from '../path.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where the parts of the file stand. */
export interface Positions {
  /** The nearest place for a value, be it there or missing. */
  readonly ofValue: (path: Path) => Position;
  /** The key that holds the value; for an item of a list the item. */
  readonly ofKey: (path: Path) => Position;
}

interface Place {
  readonly key: Position;
  readonly value: Position;
  readonly isScalar: boolean;
}

/** Collects places while the file is read. */
export class PositionIndex implements Positions {
  readonly #places = new Map<string, Place>();

  add(path: Path, place: Place): void {
    this.#places.set(JSON.stringify(path), place);
  }

  ofKey(path: Path): Position {
    return this.#nearest(path)?.key ?? { line: 1, column: 1 };
  }

  // A mapping begins below its key, so that the key tells more; a scalar is best shown itself.
  ofValue(path: Path): Position {
    const place = this.#places.get(JSON.stringify(path));
    return place?.isScalar === true ? place.value : this.ofKey(path);
  }

  #nearest(path: Path): Place | undefined {
    for (let length = path.length; length >= 0; length -= 1) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return undefined;
  }
}
