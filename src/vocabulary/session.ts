/** What a request may know of its session: the upstream's id, and how one is shown to the client. */
export interface SessionDoor {
  /** The upstream's id, where the client showed one and it opened. */
  readonly upstreamId: string | undefined;
  /** Whether the request begins a session, so that the answer may name a new one. */
  readonly begins: boolean;
  /** What the client gets for an id of the upstream's: nobody else can use it, nor on another route. */
  seal(upstreamId: string): string;
}
