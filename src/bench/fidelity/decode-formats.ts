import type { DecodeWork, PrefillWork } from './measurement.ts';
import { type RowCells, tokensOf } from './row-cells.ts';
import { BATCH_MAX, coresIn, type RowFormat, type RowReading, readingOf } from './row-format.ts';

const decode = (work: Omit<DecodeWork, 'kind'>): DecodeWork => ({ kind: 'decode', ...work });

/** A row says how long prompts took in one of two ways, or not at all; then there is nothing to compare. */
function prefillOf(
  facts: Pick<RowReading, 'part' | 'model' | 'mode'>,
  work: Omit<PrefillWork, 'kind' | 'model'>,
  { firstMs, tokensPerSecond }: { readonly firstMs?: number | undefined; readonly tokensPerSecond?: number | undefined },
): readonly RowReading[] {
  const reading = { ...facts, variant: 'prompt', work: { kind: 'prefill', model: facts.model, ...work } } as const;
  if (firstMs !== undefined) return [{ ...reading, unit: 'ms', measured: firstMs }];
  return tokensPerSecond === undefined ? [] : [{ ...reading, unit: 'tokens/s', measured: tokensPerSecond }];
}

/** Digits, other marks and types that are no width of a weight, but may stand beside one. */
const QUANTISATION_WORD =
  /^(?:nvfp4|mxfp4|w(?:[1-6]|8|16)a(?:4|8|16|32)|q[2-8]|[ksml]|xl|[01]|(?:u?int|[iu])(?:[2-6]|8|16|32)|(?:bf16|fp[468]|fp16|fp32|f16|f32|float16|float32)|awq|gptq|mlc|gguf|g\d{2,4})$/;

/** A width that is not known to be one is taken as its number says, and said. */
function quantisationIn(cells: RowCells): string {
  const text = cells.text('quant');
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  if (words.some((word) => /^g0+$/.test(word))) cells.problems.push(`${cells.saying('quant')}, and a group has at least one weight`);
  if (words.length > 0 && !words.every((word) => QUANTISATION_WORD.test(word)))
    cells.assume('quant', 'a format that is not known, taken at the width that its number tells');
  return text;
}

/** Watts and bandwidth of a mode must be some. */
function modeIn(cells: RowCells): string {
  const text = cells.text('mode');
  for (const [, figure] of text.matchAll(/((?<![^\s(,;])-?\d+(?:\.\d+)?)\s*(?:W\b|GB\/s)/gi)) {
    if (!(Number(figure) > 0)) cells.problems.push(`${cells.saying('mode')}, and watts and GB/s must be over 0`);
  }
  return text;
}

/** rknn-llm: so many prompt tokens, then new ones. */
export const rkllm: RowFormat = {
  id: 'decode by platform and prompt',
  columns: ['platform', 'model', 'quant', 'prompt_tokens', 'new_tokens', 'decode_tok_s'],
  read: (cells) => {
    const facts = { part: cells.name('platform'), model: cells.name('model'), mode: '' };
    const promptTokens = cells.count('prompt_tokens', 128);
    const contextTokens = promptTokens + Math.round(cells.count('new_tokens', 64) / 2);
    const quantisation = quantisationIn(cells);
    const cores = coresIn(cells, 'platform');
    if (cores !== undefined) cells.assume('platform', 'a language model is divided over all cores of the chip; that assumed');
    const work = decode({ model: facts.model, quantisation, batch: 1, contextTokens, ...(cores === undefined ? {} : { cores }) });
    return [
      readingOf({ ...facts, unit: 'tokens/s', measured: cells.number('decode_tok_s') }, work),
      ...prefillOf(facts, { quantisation, batch: 1, promptTokens }, { firstMs: cells.number('ttft_ms') }),
    ];
  },
};

export const jetson: RowFormat = {
  id: 'decode by device and mode',
  columns: ['device', 'model', 'quant', 'mode', 'decode_tok_s'],
  read: (cells) => {
    const facts = { part: cells.name('device'), model: cells.name('model'), mode: modeIn(cells) };
    const quantisation = quantisationIn(cells);
    const work = decode({ model: facts.model, quantisation, batch: 1, contextTokens: undefined });
    return [
      readingOf({ ...facts, unit: 'tokens/s', measured: cells.number('decode_tok_s') }, work),
      ...prefillOf(facts, { quantisation, batch: 1, promptTokens: undefined }, { tokensPerSecond: cells.number('prefill_tok_s') }),
    ];
  },
};

export const byContext: RowFormat = {
  id: 'decode by device and context',
  columns: ['device', 'model', 'quant', 'context', 'decode_tok_s'],
  read: (cells) => {
    const facts = { part: cells.name('device'), model: cells.name('model'), mode: '' };
    const contextTokens = tokensOf(cells.text('context'));
    if (contextTokens === undefined)
      cells.problems.push(`${cells.saying('context')}, and must be tokens, such as 4096 or 4k, up to 16384k`);
    const quantisation = quantisationIn(cells);
    const work = decode({ model: facts.model, quantisation, batch: 1, contextTokens });
    const variant = `context ${cells.text('context')}`;
    const prompts = prefillOf(
      facts,
      { quantisation, batch: 1, promptTokens: contextTokens },
      { tokensPerSecond: cells.number('prefill_tok_s') },
    );
    return [
      readingOf({ ...facts, variant, unit: 'tokens/s', measured: cells.number('decode_tok_s') }, work),
      ...prompts.map((prompt) => ({ ...prompt, variant: `prompt ${cells.text('context')}` })),
    ];
  },
};

/** Answers of TensorRT Edge-LLM's pages are this long; the middle of one is half as far behind its prompt. */
const ANSWER_TOKENS = 128;
/** Of a whole batch. */
const PROMPTS_MAX = 2 ** 24;

/** The table is of one chip alone; prompt tokens and rate are those of the whole batch. */
export const edgeLlm: RowFormat = {
  id: 'decode by release and batch',
  columns: ['release', 'model', 'quant', 'batch', 'prefill_tokens', 'gen_tok_s'],
  read: (cells) => {
    const facts = { part: 'Jetson AGX Thor', model: cells.name('model'), mode: '' };
    const batch = cells.count('batch', 1, BATCH_MAX);
    const prompts = cells.whole('prefill_tokens', PROMPTS_MAX);
    const contextTokens = prompts === undefined ? undefined : Math.round(prompts / batch + ANSWER_TOKENS / 2);
    const quantisation = quantisationIn(cells);
    const variant = batch === 1 ? '' : `batch ${batch}`;
    const promptTokens = prompts === undefined ? undefined : Math.max(1, Math.round(prompts / batch));
    const measured = { firstMs: cells.number('prefill_ms'), tokensPerSecond: cells.number('prefill_tok_s') };
    return [
      readingOf(
        { ...facts, variant, unit: 'tokens/s', measured: cells.number('gen_tok_s') },
        decode({ model: facts.model, quantisation, batch, contextTokens }),
      ),
      ...prefillOf(facts, { quantisation, batch, promptTokens }, measured).map((prompt) => ({
        ...prompt,
        variant: ['prompt', variant].filter((part) => part !== '').join(', '),
      })),
    ];
  },
};
