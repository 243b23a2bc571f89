import { Tokenizer } from '@huggingface/tokenizers';
import type { Document } from './dialogue.ts';
import type { Message } from './message.ts';
import { SPECIAL_TOKENS } from './model-files.ts';

/** One conversation in tokens, and how much each token counts as something to learn: 0 nothing, 1 a little, 2 fully. */
export interface Packed {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
}

/** What a token counts. What the assistant says is to be learnt; what it hears helps to know words; headers and situations are given. */
const WEIGHT = { none: 0, heard: 1, said: 2 } as const;

/** Encodes conversations as the chat template writes them; whatever people typed stays text. */
export function createPacker(tokenizerJson: object, tokenizerConfig: object) {
  // Without its added tokens the tokenizer cannot make one from text.
  const plain = new Tokenizer({ ...tokenizerJson, added_tokens: [] }, tokenizerConfig);
  const whole = new Tokenizer(tokenizerJson, tokenizerConfig);
  const special = new Map<string, number>(SPECIAL_TOKENS.map((token) => [token, whole.token_to_id(token) ?? -1]));
  const id = (token: (typeof SPECIAL_TOKENS)[number]): number => special.get(token) ?? -1;
  const cache = new Map<string, readonly number[]>();

  function encode(text: string): readonly number[] {
    const known = cache.get(text);
    if (known !== undefined) return known;
    const ids = text === '' ? [] : plain.encode(text, { add_special_tokens: false }).ids;
    if (cache.size < CACHE_TEXTS) cache.set(text, ids);
    return ids;
  }

  function encodeSaid(content: string): number[] {
    return content
      .split(/(<\/?tool_call>)/u)
      .flatMap((part) => (part === '<tool_call>' || part === '</tool_call>' ? [id(part)] : [...encode(part)]));
  }

  function pack(messages: readonly Message[]): Packed {
    const ids: number[] = [];
    const weights: number[] = [];
    const push = (added: readonly number[], weight: number): void => {
      ids.push(...added);
      weights.push(...added.map(() => weight));
    };
    for (const { role, content } of messages) {
      push([id('<|im_start|>')], WEIGHT.none);
      if (role === 'assistant') {
        push(encode('assistant\n'), WEIGHT.none);
        push([...encodeSaid(content), id('<|im_end|>')], WEIGHT.said);
      } else {
        push(encode(`${role}\n`), WEIGHT.none);
        push(encode(content), role === 'user' ? WEIGHT.heard : WEIGHT.none);
        push([id('<|im_end|>')], WEIGHT.none);
      }
      push(encode('\n'), WEIGHT.none);
    }
    return { ids, weights };
  }

  return {
    pack,
    /** The prompt before the last answer, and the answer with its end. */
    packForEvaluation: (document: Document): { readonly prompt: readonly number[]; readonly answer: readonly number[] } => {
      const last = document.messages.at(-1);
      const before = pack(document.messages.slice(0, -1)).ids;
      return {
        prompt: [...before, id('<|im_start|>'), ...encode('assistant\n')],
        answer: [...encodeSaid(last?.content ?? ''), id('<|im_end|>')],
      };
    },
  };
}

const CACHE_TEXTS = 50_000;
