import type { NumberType } from '../../core/layer-cost.ts';

const WORDS: readonly (readonly [RegExp, NumberType])[] = [
  [/^(?:[iu]|int|uint|s)4$/, 'int4'],
  [/^(?:[iu]|int|uint|s)8$/, 'int8'],
  [/^(?:[iu]|int|uint|s)16$/, 'int16'],
  [/^(?:fp16|float16|f16|half|bf16|bfloat16)$/, 'fp16'],
  [/^(?:fp32|float32|f32|float)$/, 'fp32'],
  // Mixed ones are multiplied as their activations.
  [/^w4a4$/, 'int4'],
  [/^w(?:2|3|4|8)a8$/, 'int8'],
  [/^w(?:2|3|4|8|16)a16$/, 'int16'],
];

/** What a network is multiplied in, by the word of a table; int8 and not sure for words that say no type, or several. */
export function typeOfWord(text: string): { readonly type: NumberType; readonly isSure: boolean } {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const types = words.map((word) => WORDS.find(([pattern]) => pattern.test(word))?.[1]);
  const [type = 'int8'] = types.filter((found) => found !== undefined);
  return { type, isSure: types.length > 0 && types.every((found) => found === type) };
}
