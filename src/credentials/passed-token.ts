import type { CredentialProvider, CredentialsAnswer } from '../vocabulary/credentials.ts';

/** The client's own token as it came; nothing for who came without one. That it is for the upstream the token stage has seen to. */
export const passedToken: CredentialProvider = {
  credentialsFor({ principal, header }) {
    const authorization = principal === null ? undefined : header('authorization');
    return authorization === undefined ? nothing : { ok: true, headers: ['authorization', authorization] };
  },
};

const nothing: CredentialsAnswer = { ok: true, headers: [] };
