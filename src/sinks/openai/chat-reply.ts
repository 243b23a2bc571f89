/** What of an answer is put on the wire; `models/language` has the same pieces. */
export type WirePiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly argumentsText: string }
  | { readonly kind: 'call-invalid'; readonly text: string };

/** A token with its log-probability, as the OpenAI API shows it. */
export interface WireLogprob {
  readonly token: string;
  readonly logprob: number;
  /** The token's own bytes, which may be a part of a character. */
  readonly bytes: readonly number[];
  readonly top: readonly { readonly token: string; readonly logprob: number; readonly bytes: readonly number[] }[];
}

export interface WireUsage {
  readonly promptTokens: number;
  /** Of the prompt, found in a cache. */
  readonly cachedTokens: number;
  readonly answerTokens: number;
  /** From the request's arrival to the first segment on a core. */
  readonly queuedMs: number;
  /** From the arrival to the first token. */
  readonly firstTokenMs: number;
  /** From the first token to the last. */
  readonly answerMs: number;
  /** The first token came after the deadline. */
  readonly isLate?: boolean;
}

export type WireFinish = 'stop' | 'length' | 'cancelled';

export interface ReplyHead {
  /** Unique; tool calls are numbered after it. */
  readonly id: string;
  /** Wall time, seconds since 1970. */
  readonly createdS: number;
  readonly model: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Puts an answer on the wire, in chunks or as a whole. One for each answer. */
export interface ReplyWriter {
  /** The first chunk: who speaks. */
  begin(): Json;
  /** A chunk for a piece of the answer; log-probabilities are those of the tokens since the last chunk. */
  piece(piece: WirePiece, logprobs?: readonly WireLogprob[]): Json;
  /** A chunk that says something beside the answer, in the field `coxswain`; `whole` has all of them. */
  note(note: Json): Json;
  /** The chunk that tells why the answer ended. */
  end(finish: WireFinish): Json;
  /** The last chunk where usage was asked for. */
  usage(usage: WireUsage): Json;
  /** All that was given to `piece`, as one answer. */
  whole(finish: WireFinish, usage: WireUsage): Json;
}

export function createReplyWriter(head: ReplyHead): ReplyWriter {
  let text = '';
  const notes: Json[] = [];
  const calls: Json[] = [];
  const logprobs: Json[] = [];
  let hasLogprobs = false;
  const base = (object: string) => ({ id: head.id, object, created: head.createdS, model: head.model });
  const chunk = (delta: Json, finish: string | null, probabilities?: readonly Json[]): Json => ({
    ...base('chat.completion.chunk'),
    choices: [
      {
        index: 0,
        delta,
        ...(probabilities === undefined ? {} : { logprobs: { content: probabilities, refusal: null } }),
        finish_reason: finish,
      },
    ],
  });
  const finishOf = (finish: WireFinish): string => (finish === 'length' ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop');

  return {
    begin: () => chunk({ role: 'assistant', content: '' }, null),
    piece: (piece, given) => {
      const shown = given?.map(logprobOf);
      if (shown !== undefined) {
        hasLogprobs = true;
        logprobs.push(...shown);
      }
      if (piece.kind === 'call') {
        const call = {
          id: `call_${head.id}_${calls.length}`,
          type: 'function',
          function: { name: piece.name, arguments: piece.argumentsText },
        };
        calls.push(call);
        return chunk({ tool_calls: [{ index: calls.length - 1, ...call }] }, null, shown);
      }
      // A call that cannot be read is shown as what it is: text that the model wrote.
      text += piece.text;
      return chunk({ content: piece.text }, null, shown);
    },
    note: (note) => {
      notes.push(note);
      return { ...chunk({}, null), coxswain: { notes: [note] } };
    },
    end: (finish) => chunk({}, finishOf(finish)),
    usage: (usage) => ({ ...base('chat.completion.chunk'), choices: [], ...usageOf(usage) }),
    whole: (finish, usage) => ({
      ...base('chat.completion'),
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: text === '' && calls.length > 0 ? null : text,
            refusal: null,
            ...(calls.length === 0 ? {} : { tool_calls: calls }),
          },
          logprobs: hasLogprobs ? { content: logprobs, refusal: null } : null,
          finish_reason: finishOf(finish),
        },
      ],
      ...usageOf(usage),
      ...(notes.length === 0 ? {} : { coxswain: { notes } }),
    }),
  };
}

function logprobOf({ token, logprob, bytes, top }: WireLogprob): Json {
  return {
    token,
    logprob: finite(logprob),
    bytes,
    top_logprobs: top.map((entry) => ({ token: entry.token, logprob: finite(entry.logprob), bytes: entry.bytes })),
  };
}

/** JSON has no -Infinity; the OpenAI API writes -9999 for what is impossible. */
const finite = (logprob: number): number => (Number.isFinite(logprob) ? logprob : -9999);

/** Usage as the API has it, and how long it took: `timings` is ours. */
function usageOf(usage: WireUsage): Json {
  const { promptTokens, cachedTokens, answerTokens, queuedMs, firstTokenMs, answerMs } = usage;
  const spaces = answerTokens - 1;
  return {
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: answerTokens,
      total_tokens: promptTokens + answerTokens,
      prompt_tokens_details: { cached_tokens: cachedTokens },
    },
    timings: {
      queued_ms: queuedMs,
      first_token_ms: firstTokenMs,
      answer_ms: answerMs,
      late: usage.isLate ?? false,
      // The first token belongs to the prompt; from there on one after the other.
      ms_per_token: spaces > 0 ? answerMs / spaces : null,
      tokens_per_second: spaces > 0 && answerMs > 0 ? (spaces * 1000) / answerMs : null,
    },
  };
}
