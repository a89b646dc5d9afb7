import type { AnswerFilter } from './answer-filter.ts';
import type { CredentialsAnswer } from './credentials.ts';
import type { Decision } from './decision.ts';
import type { Exchange } from './exchange.ts';
import type { LoginVisit } from './login-visit.ts';
import type { Passage } from './passage.ts';
import type { Refusal } from './refusal.ts';
import type { SessionDoor } from './session.ts';
import type { Trace } from './trace.ts';

/**
 * What the stages hang on a request. Each property has one writer, named here; `passage` grows from stage
 * to stage and only ever through the functions of `passage.ts`.
 */
declare module 'fastify' {
  interface FastifyRequest {
    /** routes → token → mcp → policy. */
    passage: Passage | null;
    /** mcp: JSON text of the id of the message, where one could be read. */
    messageId: string | null;
    /** policy, where the route has rules and one was asked. */
    decision: Decision | null;
    /** policy, where the route hides what a caller may not use: the upstream's lists pass through it. */
    answerFilter: AnswerFilter | null;
    /** challenge, when a refusal was answered. */
    refusal: Refusal | null;
    /** identity, then credentials: name, value, name, value …, ready for the upstream. */
    upstreamHeaders: string[] | null;
    /** identity, where what goes upstream isn't the call's own bytes. */
    upstreamBody: Buffer | null;
    /**
     * credentials, where others can be had once the upstream answered 401 to these. After an answer that is ok
     * `upstreamHeaders` holds them in place of the refused ones, ready to be sent once more.
     */
    recovery: (() => Promise<CredentialsAnswer>) | null;
    /** sessions. */
    session: SessionDoor | null;
    /** upstream. */
    exchange: Exchange | null;
    /** credentials, on the pages where a person logs in at an upstream. */
    loginVisit: LoginVisit | null;
    /** telemetry, where the request is part of one that the upstream may know of. */
    trace: Trace | null;
  }

  interface FastifyReply {
    /** Answers a refusal; the only way a stage says no. */
    refuse(refusal: Refusal): void;
  }

  interface FastifyContextConfig {
    /** Every registered route declares it; the boot refuses one that doesn't. */
    access?: 'public' | 'required' | 'optional' | 'open';
    /** Name of the configured route. */
    routeName?: string;
  }

  interface FastifyInstance {
    /** Set by the token stage on the scope that it guards. */
    checksTokens?: boolean;
  }
}
