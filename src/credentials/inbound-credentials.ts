import type { InboundCredential } from '../config/configuration.ts';
import type { CredentialProvider, CredentialsAnswer } from '../vocabulary/credentials.ts';

/** Half of what Node takes of all headers together. */
const maximumValueLength = 8192;

/** Headers of the client under the names that the upstream knows. One that is missing, or has another form, refuses the request. */
export function inboundCredentials(wanted: readonly InboundCredential[]): CredentialProvider {
  return {
    credentialsFor({ header }) {
      const headers: string[] = [];
      for (const { from, to, pattern, scheme } of wanted) {
        const value = header(from);
        if (value === undefined || value === '') return refused('upstream_credentials_missing', from);
        if (value.length > maximumValueLength || !pattern.test(value))
          return refused('upstream_credentials_invalid', from);
        headers.push(to, scheme === undefined ? value : `${scheme} ${value}`);
      }
      return { ok: true, headers };
    },
  };
}

function refused(
  reason: 'upstream_credentials_missing' | 'upstream_credentials_invalid',
  header: string,
): CredentialsAnswer {
  return {
    ok: false,
    refusal: { kind: 'upstream-credentials-missing', reason, detail: `the client's header ${header}` },
  };
}
