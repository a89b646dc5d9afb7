import type { SealSecrets } from '../text-seal.ts';
import { TextSeal } from '../text-seal.ts';
import type { RecordClaim, RecordName, RecordOutcome, RecordReading, RecordStore } from './record-store.ts';

/** Records of another store, each sealed for its name. What doesn't open counts as absent. */
export class SealedRecords implements RecordStore {
  readonly #store: RecordStore;
  readonly #seal: TextSeal;

  constructor(store: RecordStore, secrets: SealSecrets) {
    this.#store = store;
    this.#seal = new TextSeal(secrets, 'records');
  }

  async read(name: RecordName, known?: string): Promise<RecordReading> {
    const reading = await this.#store.read(name, known);
    if (reading.is !== 'read') return reading;
    const text = this.#seal.open(reading.text, name);
    return text === undefined ? { is: 'absent' } : { is: 'read', text, version: reading.version };
  }

  write(name: RecordName, text: string): Promise<RecordOutcome> {
    return this.#store.write(name, this.#seal.seal(text, name));
  }

  remove(name: RecordName): Promise<RecordOutcome> {
    return this.#store.remove(name);
  }

  claim(name: RecordName, ttlMs: number): Promise<RecordClaim> {
    return this.#store.claim(name, ttlMs);
  }
}
