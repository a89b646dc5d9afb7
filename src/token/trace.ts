import type { Authority } from '../authorization-servers/authority.ts';
import type { NotIntrospected } from '../authorization-servers/introspection/introspection.ts';
import type { Introspected } from '../authorization-servers/introspection/introspection-memory.ts';
import type { FoundKeys } from '../authorization-servers/keys/key-set.ts';
import type { SigningKey } from '../authorization-servers/keys/signing-key.ts';
import type { TokenFault } from './fault.ts';
import type { ParsedJwt } from './parse-jwt.ts';

/** What is judged once the signature held, in this order. */
export type ClaimCheck = 'type' | 'times' | 'audience' | 'tenant' | 'subject' | 'confirmation';

/** One step of a verification as it was taken. It never holds the token. */
export type Step =
  | { readonly step: 'form'; readonly found: ParsedJwt | TokenFault }
  | { readonly step: 'issuer'; readonly candidates: readonly Authority[] }
  | { readonly step: 'algorithm'; readonly authority: Authority; readonly fault: TokenFault | undefined }
  | { readonly step: 'key'; readonly authority: Authority; readonly found: FoundKeys }
  /** Without a key: none of those that were found has signed it. */
  | { readonly step: 'signature'; readonly authority: Authority; readonly key: SigningKey | undefined }
  | {
      readonly step: 'introspection';
      readonly authority: Authority;
      readonly answer: Introspected | NotIntrospected;
    }
  | {
      readonly step: 'claim';
      readonly authority: Authority;
      readonly check: ClaimCheck;
      readonly fault: TokenFault | undefined;
    };

/** Hears each step of a verification; only `explain` listens. */
export type Trace = (step: Step) => void;
