import type { FastifyRequest } from 'fastify';

import type { Serving } from './assemblies.ts';
import type { Authorities } from '../authorization-servers/authority.ts';
import type { Configuration } from '../config/configuration.ts';
import type { AllTenantRoutes } from '../routes/tenant-routes.ts';

/** One configuration put together. */
export interface Assembly extends Serving {
  readonly configuration: Configuration;
  readonly authorities: Authorities;
  readonly tenantRoutes: AllTenantRoutes;
  /** Of everything that it answers, as a router takes them; complete after `boot`. */
  readonly urls: ReadonlySet<string>;
  /** Puts the stages together; rejects where that is a defect. */
  boot(): Promise<void>;
  /** Asks authorization servers that haven't been asked yet; ends when the last answered or its time-out passed. Never rejects. */
  ask(): Promise<void>;
  /** Whether it would let begin what a request of an earlier configuration has begun. */
  admits(request: FastifyRequest): Promise<boolean>;
}

/** What the stages of all configurations ask of the gateway as a whole. */
export interface Gate {
  readonly notReady: () => 'starting' | 'stopping' | undefined;
  /** Whether the newest configuration would let this request begin. */
  readonly stillAdmitted: (request: FastifyRequest) => Promise<boolean>;
}

/** `before`: what it can go on with instead of beginning anew. */
export type Assemble = (configuration: Configuration, gate: Gate, before?: Assembly) => Assembly;
