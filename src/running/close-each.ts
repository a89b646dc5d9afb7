export type Closer = () => Promise<unknown> | undefined | void;

/** Runs each, one after the other, whatever becomes of those before; tells of what failed, and never rejects. */
export async function closeEach(
  closers: Iterable<Closer>,
  onFailure: (error: unknown) => void,
): Promise<void> {
  for (const close of closers) {
    try {
      await close();
    } catch (error) {
      onFailure(error);
    }
  }
}
