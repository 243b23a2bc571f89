import type { WirePiece } from '../../src/sinks/openai/chat-reply.ts';
import type { ServedEnd, ServedModel, ServedRequest } from '../../src/sinks/openai/served-model.ts';

/** What came of one request to a served model. */
export interface HeardAnswer {
  readonly pieces: WirePiece[];
  readonly notes: Readonly<Record<string, unknown>>[];
  readonly ends: ServedEnd[];
  cancel(): void;
}

const REQUEST: ServedRequest = {
  ...{ model: 'lm', messages: [{ role: 'user', content: 'hi' }], tools: [], sampling: {}, constraint: undefined, stop: [] },
  ...{ tokensMax: undefined, isStream: false, includesUsage: false, variables: {}, service: {}, provenance: 'passenger' },
};

/** Asks for an answer to "hi", with changes. */
export function hearAnswer(model: ServedModel, changes: Partial<ServedRequest> = {}): HeardAnswer {
  const heard = { pieces: [] as WirePiece[], notes: [] as HeardAnswer['notes'], ends: [] as ServedEnd[] };
  const reply = model.ask(
    { ...REQUEST, ...changes },
    {
      onPieces: (pieces) => heard.pieces.push(...pieces),
      onNote: (note) => heard.notes.push(note),
      onEnd: (end) => heard.ends.push(end),
    },
  );
  return { ...heard, cancel: () => reply.cancel() };
}
