import type { DecoderFacts } from '../../src/models/language/decoder-facts.ts';
import type { TensorData, TensorHandle, TensorSession } from '../../src/models/language/tensor-session.ts';
import { tinyDecoderConfig } from './tiny-decoder.ts';

export const FAKE_VOCABULARY = 203;

interface FakeTensor extends TensorHandle {
  readonly data: TensorData;
  readonly dims: readonly number[];
  isReleased: boolean;
}

/** What the fake model says behind a text: a number that depends on every token and its place. */
export function fakeNext(tokens: readonly number[]): number {
  return tokens.reduce((sum, token, index) => (sum + (index + 3) * (token + 1)) % FAKE_VOCABULARY, 0);
}

/** The answer of the fake model to a text, alone and without any cache. */
export function fakeAnswer(tokens: readonly number[], count: number, stopIds: readonly number[] = [2]): number[] {
  const text = [...tokens];
  const answer: number[] = [];
  while (answer.length < count) {
    const next = fakeNext(text);
    if (stopIds.includes(next)) break;
    answer.push(next);
    text.push(next);
  }
  return answer;
}

export function fakeFacts(graph: Partial<DecoderFacts['graph']> = {}, config: Readonly<Record<string, unknown>> = {}): DecoderFacts {
  return {
    config: tinyDecoderConfig({ num_hidden_layers: 2, num_key_value_heads: 2, ...config }),
    graph: {
      cacheKind: 'in-place',
      cacheType: 'float32',
      logitsType: 'float32',
      takesPositions: false,
      keepsLogits: false,
      weightBits: 32,
      headBits: 32,
      ...graph,
    },
  };
}

/**
 * A session whose model remembers its text in the cache alone: it writes each token to every layer and head at its place and answers from what it finds there, so
 * a cache that is mixed up, cut wrong or moved gives another answer, or an error.
 */
export class FakeDecoderSession implements TensorSession {
  /** Tokens that went through, one number for each run. */
  readonly runs: number[] = [];
  handlesOpen = 0;
  /** Called before each run; may throw, or change what logits are given. */
  onRun: (tokens: readonly number[]) => number | undefined = () => undefined;
  readonly #facts: DecoderFacts;

  constructor(facts: DecoderFacts) {
    this.#facts = facts;
  }

  get tokensRun(): number {
    return this.runs.reduce((sum, count) => sum + count, 0);
  }

  wrap(data: TensorData, dims: readonly number[]): TensorHandle {
    const count = dims.reduce((product, size) => product * size, 1);
    if (data.length !== count) throw new Error(`${data.length} elements for [${dims}]`);
    this.handlesOpen += 1;
    const tensor: FakeTensor = {
      data,
      dims,
      isReleased: false,
      release: () => {
        if (tensor.isReleased) throw new Error('released twice');
        tensor.isReleased = true;
        this.handlesOpen -= 1;
      },
    };
    return tensor;
  }

  run(inputHandles: readonly TensorHandle[], outputHandles: readonly TensorHandle[]): void {
    const { config, graph } = this.#facts;
    const inputs = inputHandles as readonly FakeTensor[];
    const outputs = outputHandles as readonly FakeTensor[];
    if ([...inputs, ...outputs].some(({ isReleased }) => isReleased)) throw new Error('a tensor is used after its release');
    const [ids, mask, ...rest] = inputs;
    const [logits, ...present] = outputs;
    const past = rest.slice(-2 * config.layers);
    const tokens = [...((ids?.data ?? []) as BigInt64Array)].map(Number);
    const total = mask?.dims[1] ?? 0;
    const before = total - tokens.length;
    if (![...((mask?.data ?? []) as BigInt64Array)].every((value) => value === 1n)) throw new Error('the mask hides something');
    if (graph.takesPositions && [...((rest[0]?.data ?? []) as BigInt64Array)].some((value, index) => Number(value) !== before + index))
      throw new Error('positions do not follow the cache');
    const spoilt = this.onRun(tokens);
    const text = this.#readPast(past, before, present);
    text.push(...tokens);
    for (const [part, tensor] of present.entries()) this.#write(tensor, text, part);
    this.#answer(logits, tokens.length, text, spoilt);
    this.runs.push(tokens.length);
  }

  #readPast(past: readonly FakeTensor[], before: number, present: readonly FakeTensor[]): number[] {
    const texts = past.map((tensor, part) => {
      const [, heads = 0, stride = 0, size = 0] = tensor.dims;
      if (this.#facts.graph.cacheKind === 'appended' ? stride !== before : tensor.data !== present[part]?.data)
        throw new Error(`a cache of ${stride} tokens where ${before} are past, or not the same memory`);
      const perHead = Array.from({ length: heads }, (_, head) =>
        Array.from({ length: before }, (__, index) => Number(tensor.data[(head * stride + index) * size]) - part - 10 * head),
      );
      return perHead.map((tokens) => JSON.stringify(tokens));
    });
    const [first = '[]'] = texts.flat();
    if (texts.flat().some((text) => text !== first)) throw new Error('layers or heads remember different texts');
    return JSON.parse(first) as number[];
  }

  #write(tensor: FakeTensor, text: readonly number[], part: number): void {
    const [, heads = 0, stride = 0, size = 0] = tensor.dims;
    const data = tensor.data as Float32Array | Uint16Array;
    for (let head = 0; head < heads; head += 1)
      for (const [index, token] of text.entries()) data[(head * stride + index) * size] = token + part + 10 * head;
  }

  #answer(logits: FakeTensor | undefined, count: number, text: readonly number[], spoilt: number | undefined): void {
    const rows = this.#facts.graph.keepsLogits ? 1 : count;
    if (logits?.dims[1] !== rows) throw new Error(`logits of ${logits?.dims[1]} rows where ${rows} belong`);
    const data = logits.data as Float32Array | Uint16Array;
    data.fill(0);
    const isHalf = data instanceof Uint16Array;
    data[(rows - 1) * FAKE_VOCABULARY + fakeNext(text)] = isHalf ? 0x4400 : 4;
    if (spoilt !== undefined) data[(rows - 1) * FAKE_VOCABULARY] = isHalf ? 0x7e00 : spoilt;
  }
}
