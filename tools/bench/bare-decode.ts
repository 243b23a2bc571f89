/**
 * The decode loop that everybody writes with onnxruntime-node: one process, one session, `present` fed back as `past`, the likeliest token next. It speaks one turn
 * after the other as its parent asks with `{prompt, tokens}`, and answers with `{ids, firstMs, gapsMs}`.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';

interface BareDecoder {
  readonly file: string;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
}

interface Ask {
  readonly prompt: readonly number[];
  readonly tokens: number;
}

const model = JSON.parse(process.argv[2] ?? '') as BareDecoder;
const session = await InferenceSession.create(model.file, {
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
});
const parts = Array.from({ length: model.layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();

process.on('message', (ask: Ask) => {
  void speak(ask);
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function speak({ prompt, tokens }: Ask): Promise<void> {
  const past: Record<string, Tensor> = {};
  for (const part of parts)
    past[`past_key_values.${part}`] = new Tensor('float32', new Float32Array(), [1, model.kvHeads, 0, model.headSize]);
  const ids: number[] = [];
  const gapsMs: number[] = [];
  let input = prompt;
  let length = 0;
  let firstMs = 0;
  let at = performance.now();
  while (ids.length < tokens) {
    const results = await session.run({ ...past, ...feedsFor(input, length) });
    length += input.length;
    for (const part of parts) past[`past_key_values.${part}`] = results[`present.${part}`] as Tensor;
    const logits = results.logits?.data as Float32Array;
    const next = likeliest(logits.subarray(logits.length - model.vocabulary));
    ids.push(next);
    input = [next];
    const now = performance.now();
    if (ids.length === 1) firstMs = now - at;
    else gapsMs.push(now - at);
    at = now;
  }
  process.send?.({ ids, firstMs, gapsMs });
}

function feedsFor(input: readonly number[], length: number): Record<string, Tensor> {
  const total = length + input.length;
  const feeds: Record<string, Tensor> = {
    input_ids: new Tensor('int64', BigInt64Array.from(input, BigInt), [1, input.length]),
    attention_mask: new Tensor('int64', new BigInt64Array(total).fill(1n), [1, total]),
  };
  if (session.inputNames.includes('position_ids'))
    feeds.position_ids = new Tensor(
      'int64',
      BigInt64Array.from(input, (_, index) => BigInt(length + index)),
      [1, input.length],
    );
  if (session.inputNames.includes('num_logits_to_keep')) feeds.num_logits_to_keep = new Tensor('int64', BigInt64Array.of(1n), []);
  return feeds;
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id += 1) if ((logits[id] as number) > (logits[best] as number)) best = id;
  return best;
}
