import type { CredentialProvider, CredentialsAnswer } from '../vocabulary/credentials.ts';

/** The same header for all requests. */
export function staticCredentials(header: string, value: string): CredentialProvider {
  const answer: CredentialsAnswer = { ok: true, headers: [header, value] };
  return { credentialsFor: () => answer };
}
