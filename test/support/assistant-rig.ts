import type { ActionOutcome, Proposal } from '../../src/core/proposal.ts';
import type { TurnTranscript } from '../../src/core/turn-transcript.ts';
import type { ReplyPiece } from '../../src/models/language/reply-reader.ts';
import { type Assistant, type AssistantOptions, createAssistant } from '../../src/runtime/assistant/assistant.ts';
import type { AssistantEnd, Utterance } from '../../src/runtime/assistant/utterance.ts';
import type { Seen } from '../../src/runtime/assistant/view.ts';
import { type ActionRig, createActionRig, ms } from './action-rig.ts';
import { createScriptedChat, type ScriptedChat } from './scripted-chat.ts';

/** What one utterance led to. */
export interface HeardTurn {
  readonly pieces: ReplyPiece[];
  readonly outcomes: { readonly proposal: Proposal; readonly outcome: ActionOutcome }[];
  readonly ends: AssistantEnd[];
  cancel(): void;
}

export interface AssistantRig extends ActionRig {
  readonly chat: ScriptedChat;
  readonly assistant: Assistant;
  readonly transcripts: TurnTranscript[];
  seen: Seen | undefined;
  hear(text: string, changes?: Partial<Utterance>): HeardTurn;
}

/** An assistant with the real gate on a SimClock, and a model whose answers the test writes. */
export function createAssistantRig(options: Partial<AssistantOptions> = {}, isGateThere = true): AssistantRig {
  const actions = createActionRig();
  const { clock, gate, catalogue } = actions;
  const chat = createScriptedChat(clock, options.contextTokens ?? 1024);
  const transcripts: TurnTranscript[] = [];
  const assistant = createAssistant(
    { id: 'assistant', contextTokens: 1024, machine: 'vehicle', catalogue, stateAgeMaxUs: ms(1000), ...options },
    {
      ...{ clock, chat, gate: isGateThere ? gate : undefined, onOutcome: actions.onOutcome },
      state: { read: (signal) => readings(signal) },
      view: () => rig.seen,
      onTranscript: (transcript) => transcripts.push(transcript),
    },
  );
  const readings = (signal: string) => (signal === 'speedKmh' ? { value: 0, at: clock.now() } : undefined);
  const rig: AssistantRig = Object.assign(actions, {
    ...{ chat, assistant, transcripts },
    seen: undefined as Seen | undefined,
    hear(text: string, changes: Partial<Utterance> = {}): HeardTurn {
      const heard = { pieces: [] as ReplyPiece[], outcomes: [] as HeardTurn['outcomes'], ends: [] as AssistantEnd[] };
      const handle = assistant.hear(
        { text, provenance: 'driver', conversation: 'cabin', ...changes },
        {
          onPieces: (pieces) => heard.pieces.push(...pieces),
          onProposal: (proposal, outcome) => heard.outcomes.push({ proposal, outcome }),
          onEnd: (end) => heard.ends.push(end),
        },
      );
      return { ...heard, cancel: () => handle.cancel() };
    },
  });
  return rig;
}
