import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

interface StoredEvent {
  readonly id: string;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
}

/** The events of one session, so that a client may go on after a stream closed (`Last-Event-ID`). */
export function keepEvents(): EventStore {
  const stored: StoredEvent[] = [];
  return {
    storeEvent(streamId, message) {
      const id = `${stored.length + 1}`;
      stored.push({ id, streamId, message });
      return Promise.resolve(id);
    },
    async replayEventsAfter(lastEventId, { send }) {
      const last = stored.findIndex(({ id }) => id === lastEventId);
      const streamId = stored[last]?.streamId;
      if (streamId === undefined) throw new Error(`no event ${lastEventId}`);
      for (const event of stored.slice(last + 1)) {
        // A stream's first event carries an id and no message.
        if (event.streamId === streamId && 'jsonrpc' in event.message) await send(event.id, event.message);
      }
      return streamId;
    },
  };
}
