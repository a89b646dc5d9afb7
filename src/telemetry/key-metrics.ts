import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { Readings } from './metrics.ts';

type KeyReading = ReturnType<Readings['keyAges']>[number];

/** The signing keys of the configured authorization servers, as they are when Prometheus asks. */
export function registerKeys(registry: Registry, keyAges: Readings['keyAges']): void {
  const gauge = (name: string, help: string, read: (reading: KeyReading) => number | undefined): void => {
    new Gauge({
      name,
      help,
      labelNames: ['authorization_server'],
      registers: [registry],
      collect() {
        this.reset();
        for (const reading of keyAges()) {
          const value = read(reading);
          if (value !== undefined) this.set({ authorization_server: reading.authorizationServer }, value);
        }
      },
    });
  };
  gauge(
    'portcullis_keys_held',
    'Signing keys in force, by authorization server; absent for one that names none',
    ({ keys }) => keys,
  );
  gauge(
    'portcullis_key_age_seconds',
    'Time since the signing keys in force were fetched; absent while there are none',
    ({ ageMs }) => (ageMs === undefined ? undefined : ageMs / 1000),
  );
  gauge(
    'portcullis_key_refresh_seconds',
    'Age by which signing keys should have been fetched again (keys.ttl)',
    ({ refreshMs }) => refreshMs / 1000,
  );
  gauge(
    'portcullis_key_lifetime_seconds',
    'Age beyond which signing keys are not used (keys.ttl and keys.maxStale)',
    ({ lifetimeMs }) => lifetimeMs / 1000,
  );
}
