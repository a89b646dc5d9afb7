/** What one JSON-RPC message asks for, read from the exact bytes that are forwarded. */
export type Message =
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly id: string;
      readonly target: string | undefined;
    }
  | { readonly kind: 'notification'; readonly method: string; readonly target: string | undefined }
  | { readonly kind: 'response' };

/**
 * A POST body after reading: its messages in order (more than one only in a batch) and the bytes themselves.
 * `id` of a request is its JSON text, ready to be echoed. `target` is `params.name` or `params.uri`; of a
 * completion, what `params.ref` names.
 */
export interface Call {
  readonly messages: readonly [Message, ...Message[]];
  readonly batch: boolean;
  readonly bytes: Buffer;
}
