import type { RequestListener } from 'node:http';

/**
 * Passes over what comes behind the last answer of a connection (RFC 9112 §9.6). Node's parser goes on with the bytes
 * that came along, and an answer on a connection that has ended, while another before it was never sent, fails an
 * assertion of Node's where nobody can catch it: three short requests in one packet would end the process.
 */
export function stopAfterLastAnswer(answer: RequestListener): RequestListener {
  return (request, response) => {
    const { destroyed, writableEnded } = request.socket;
    if (!destroyed && !writableEnded) answer(request, response);
  };
}
