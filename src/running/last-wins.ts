/**
 * Runs one thing at a time. What is asked for meanwhile waits, and only the last of it is run: whoever was passed over
 * gets the answer of the one that took its place.
 */
export function lastWins<Given, Answer>(
  run: (given: Given) => Promise<Answer>,
): (given: Given) => Promise<Answer> {
  let running: Promise<Answer> | undefined;
  let waiting: { given: Given; readonly answer: Promise<Answer> } | undefined;
  const begin = (given: Given): Promise<Answer> => {
    const answer = run(given).finally(() => {
      if (waiting === undefined) running = undefined;
    });
    running = answer;
    return answer;
  };
  const beginWaiting = (): Promise<Answer> => {
    if (waiting === undefined) throw new Error('nothing waits');
    const { given } = waiting;
    waiting = undefined;
    return begin(given);
  };
  return (given) => {
    if (running === undefined) return begin(given);
    if (waiting !== undefined) waiting.given = given;
    else waiting = { given, answer: running.then(beginWaiting, beginWaiting) };
    return waiting.answer;
  };
}
