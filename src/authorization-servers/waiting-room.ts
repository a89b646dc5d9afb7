/** Of 16 KiB of header each, that is 16 MiB. */
const usualSeats = 1000;

/** Requests that wait for an authorization server. Each is held in memory: a slow one would fill it, had the room no end. */
export class WaitingRoom {
  readonly #seats: number;
  #taken = 0;

  constructor(seats = usualSeats) {
    this.#seats = seats;
  }

  /** Whether the next one must be sent away. */
  get isFull(): boolean {
    return this.#taken >= this.#seats;
  }

  /** What the promise brings, counted as waiting until then. */
  async hold<T>(promise: Promise<T>): Promise<T> {
    this.#taken += 1;
    try {
      return await promise;
    } finally {
      this.#taken -= 1;
    }
  }
}
