/** A body that went on past what was allowed for it. */
export class BodyTooLong extends Error {
  override readonly name = 'BodyTooLong';
}

/**
 * The same response with a body that ends in `BodyTooLong` past `maximumBytes` of decoded content, so that
 * whoever reads it can't be filled with more. The rest is left on the connection, which is closed.
 */
export function boundedBody(response: Response, maximumBytes: number): Response {
  const { body, status, statusText, headers } = response;
  if (body === null) return response;
  let size = 0;
  const counted = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > maximumBytes)
          controller.error(new BodyTooLong(`answered more than ${maximumBytes} bytes`));
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted, { status, statusText, headers });
}
