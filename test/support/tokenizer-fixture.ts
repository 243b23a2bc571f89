import { byteLetters } from '../../src/models/language/token-bytes.ts';
import type { TokenizerFiles } from '../../src/models/language/tokenizer-files.ts';

const SAMPLE = `Turn the seat heating of the driver to two. What do you see in front of me? {"name":"set_seat_heating","arguments":{"seat":"driver","level":2}}
{"name": "open_window", "arguments": {"position": "left", "percent": 40}} 打开车窗，把空调调到二十二度。前面有什么？ The quick brown fox jumps over the lazy dog 0123456789 times,
that's all there is; "quoted", [bracketed], true, false, null. Wind und Wetter, déjà vu, naïve café, 🚗🚙🚗 ["a","b"]: {"x":1.5,"y":-20e3}`;

const CONTROLS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<tool_call>', '</tool_call>'];

/** ChatML, as the shipped model has it; written anew here so that tests of the text half need no model. */
export const CHATML_TEMPLATE = `{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.role == 'system' and tools %}{{ '# Tools\\n' }}{% for tool in tools %}{{ tool | tojson + '\\n' }}{% endfor %}{% endif -%}
{{- message.content if message.content is string else '' -}}
{%- for call in message.tool_calls or [] -%}
{{- '<tool_call>' + ({'name': call.function.name, 'arguments': call.function.arguments} | tojson) + '</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}`;

export interface FixtureOptions {
  /** Merges that are learnt from the sample. */
  readonly merges?: number;
  readonly chatTemplate?: string;
  readonly special?: boolean;
}

/** A small byte-level tokenizer (GPT-2's manner) that is trained on the spot, with ChatML's control tokens. */
export function byteLevelFiles({ merges = 300, chatTemplate = CHATML_TEMPLATE, special = true }: FixtureOptions = {}): TokenizerFiles {
  const letters = byteLetters();
  const words = (SAMPLE.match(/ ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu) ?? []).map((word) =>
    [...new TextEncoder().encode(word)].map((byte) => letters[byte] ?? ''),
  );
  const learnt = learnMerges(words, merges);
  const tokens = [...letters, ...new Set(learnt.map((pair) => pair.join('')))];
  return filesOf(tokens, learnt, {
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel' },
    controls: CONTROLS.map((content) => ({ content, special: special || !content.includes('tool') })),
    chatTemplate,
  });
}

/** A small tokenizer in SentencePiece's manner: a mark for spaces, a space before the text, bytes for what it lacks. */
export function sentencePieceFiles({ merges = 200, chatTemplate = CHATML_TEMPLATE }: FixtureOptions = {}): TokenizerFiles {
  const words = (`▁${SAMPLE.replaceAll(' ', '▁')}`.match(/▁?[^▁]+/gu) ?? []).map((word) => [...word].filter((letter) => letter < '\u3000'));
  const learnt = learnMerges(words, merges);
  const letters = [...new Set(words.flat())];
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = [...bytes, ...letters, ...new Set(learnt.map((pair) => pair.join('')))];
  return filesOf(tokens, learnt, {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    byteFallback: true,
    controls: CONTROLS.map((content) => ({ content, special: true })),
    chatTemplate,
  });
}

interface Parts {
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: unknown;
  readonly decoder: unknown;
  readonly byteFallback?: boolean;
  readonly controls: readonly { readonly content: string; readonly special: boolean }[];
  readonly chatTemplate: string;
}

function filesOf(tokens: readonly string[], merges: readonly (readonly [string, string])[], parts: Parts): TokenizerFiles {
  const vocab = Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));
  const base = Object.keys(vocab).length;
  return {
    tokenizer: JSON.stringify({
      version: '1.0',
      added_tokens: parts.controls.map((token, index) => ({ id: base + index, lstrip: false, rstrip: false, normalized: false, ...token })),
      normalizer: parts.normalizer ?? null,
      pre_tokenizer: parts.pre_tokenizer ?? null,
      post_processor: null,
      decoder: parts.decoder,
      model: { type: 'BPE', unk_token: null, byte_fallback: parts.byteFallback ?? false, vocab, merges },
    }),
    config: JSON.stringify({ eos_token: '<|im_end|>', pad_token: '<|endoftext|>', chat_template: parts.chatTemplate }),
  };
}

/** Byte-pair encoding's training, the plain way: the commonest pair first, ties by order of appearance. */
function learnMerges(words: readonly (readonly string[])[], count: number): (readonly [string, string])[] {
  let current = words.map((word) => [...word]);
  const merges: (readonly [string, string])[] = [];
  while (merges.length < count) {
    const counts = new Map<string, { readonly pair: readonly [string, string]; count: number }>();
    for (const word of current)
      for (let at = 0; at + 1 < word.length; at += 1) {
        const pair = [word[at] ?? '', word[at + 1] ?? ''] as const;
        const entry = counts.get(pair.join('\u0000')) ?? { pair, count: 0 };
        entry.count += 1;
        counts.set(pair.join('\u0000'), entry);
      }
    const best = [...counts.values()].reduce((top, entry) => (entry.count > top.count ? entry : top), {
      pair: ['', ''] as const,
      count: 1,
    });
    if (best.count < 2) break;
    const [left, right] = best.pair;
    merges.push([left, right]);
    current = current.map((word) => {
      const joined: string[] = [];
      for (let at = 0; at < word.length; at += 1) {
        const isPair = word[at] === left && word[at + 1] === right;
        joined.push(isPair ? left + right : (word[at] ?? ''));
        if (isPair) at += 1;
      }
      return joined;
    });
  }
  return merges;
}
