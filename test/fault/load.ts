/** People who ask without pause over a few shared connections, and judge each answer when it came. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';

export interface Question {
  /** What is asked, for the tally and the report. */
  readonly kind: string;
  readonly token?: string;
  /** Whom the upstream must hear of, should it be asked. */
  readonly subject: string;
  readonly issuer: string;
  /** The statuses that are right; looked at once the answer is there. */
  right(): readonly number[];
  /** The question was let through. */
  served?(): void;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: unknown;
  readonly challenge: unknown;
  readonly body: string;
}

/** Between two questions of one worker: many workers on a small machine shall leave it time for the faults. */
const pauseMs = 8;

export class Load implements AsyncDisposable {
  /** What was asked, by kind and status. */
  readonly tally = new Map<string, number>();
  /** The subjects of all calls that were answered with 200. */
  readonly subjectsServed: string[] = [];
  /** A sentence for each answer that was wrong. */
  readonly wrong: string[] = [];
  asked = 0;
  readonly #pool: Pool;
  readonly #next: () => Question;
  readonly #workers: readonly Promise<void>[];
  #ended = false;

  /** The workers start at once; they share fewer connections than they are. */
  constructor(
    origin: string,
    { workers, next }: { readonly workers: number; readonly next: () => Question },
  ) {
    this.#next = next;
    this.#pool = new Pool(origin, { connections: Math.ceil(workers / 3), pipelining: 1 });
    this.#workers = Array.from({ length: workers }, () => this.#work());
  }

  count(kind: string, status: number): number {
    return this.tally.get(`${kind} ${status}`) ?? 0;
  }

  /** Lets the questions that are under way be answered. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#workers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#pool.destroy();
  }

  async #work(): Promise<void> {
    while (!this.#ended) {
      this.asked += 1;
      const id = `nonce-${this.asked}`;
      const question = this.#next();
      let answer: Answer;
      try {
        answer = await this.#ask(id, question.token);
      } catch (error) {
        this.wrong.push(`${question.kind}: no answer: ${String(error)}`);
        continue;
      }
      this.#judge(id, question, answer);
      await sleep(pauseMs);
    }
  }

  async #ask(id: string, token: string | undefined): Promise<Answer> {
    const { statusCode, headers, body } = await this.#pool.request({
      method: 'POST',
      path: '/mcp',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'whoami' } }),
    });
    return {
      status: statusCode,
      retryAfter: headers['retry-after'],
      challenge: headers['www-authenticate'],
      body: await body.text(),
    };
  }

  #judge(id: string, question: Question, answer: Answer): void {
    const { kind } = question;
    const { status } = answer;
    const counted = `${kind} ${status}`;
    this.tally.set(counted, (this.tally.get(counted) ?? 0) + 1);
    if (!question.right().includes(status)) this.wrong.push(counted);
    const fault = faultOf(answer, { id, ...question });
    if (fault !== undefined) this.wrong.push(`${counted}: ${fault}: ${answer.body.slice(0, 200)}`);
    if (status !== 200) return;
    this.subjectsServed.push(question.subject);
    question.served?.();
  }
}

/** Whether the answer is one of the three that there are, and the asker's own. */
function faultOf(answer: Answer, asked: Pick<Question, 'subject' | 'issuer'> & { readonly id: string }) {
  const { status, retryAfter, challenge, body } = answer;
  if (status === 200) {
    const { id, result } = JSON.parse(body) as { id: unknown; result: Record<string, unknown> };
    const own = id === asked.id && result['nonce'] === asked.id;
    if (!own) return "another one's answer";
    return result['subject'] === asked.subject && result['issuer'] === asked.issuer
      ? undefined
      : 'another identity';
  }
  if (status === 503)
    return /^[1-9]\d*$/.test(String(retryAfter)) && challenge === undefined
      ? undefined
      : '503 without Retry-After, or with a challenge';
  return status === 401 && String(challenge).startsWith('Bearer ') ? undefined : 'no answer of the catalogue';
}
