import type { ProofAlgorithm } from '../config/configuration.ts';

/** As clients know them: RFC 9864 gave EdDSA a second name, and both are accepted. */
export function proofAlgorithmNames(algorithms: readonly ProofAlgorithm[]): readonly string[] {
  return algorithms.flatMap((algorithm) => (algorithm === 'EdDSA' ? ['Ed25519', 'EdDSA'] : [algorithm]));
}
