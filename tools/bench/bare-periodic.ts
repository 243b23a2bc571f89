/**
 * A process that runs one model at a fixed period and nothing else, as it would beside others that nobody manages: `{seconds}` is answered with `{latenciesMs}`, from the
 * instant when an input should be there to the end of its run.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';

interface PeriodicModel {
  readonly file: string;
  readonly periodMs: number;
  readonly inputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly shape: readonly number[];
    readonly values?: readonly number[];
  }[];
}

const model = JSON.parse(process.argv[2] ?? '') as PeriodicModel;
const session = await InferenceSession.create(model.file, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
});
const feeds = Object.fromEntries(
  model.inputs.map(({ name, type, shape, values }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const tensor =
      type === 'int64'
        ? new Tensor('int64', BigInt64Array.from(values ?? [], BigInt), [...shape])
        : new Tensor('float32', new Float32Array(count).fill(0.25), [...shape]);
    return [name, tensor] as const;
  }),
);

process.on('message', ({ seconds }: { readonly seconds: number }) => {
  void loop(seconds);
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function loop(seconds: number): Promise<void> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now() + 50;
  for (let count = 0; count * model.periodMs < seconds * 1000; count += 1) {
    const dueAt = startedAt + count * model.periodMs;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await session.run(feeds);
    latenciesMs.push(performance.now() - dueAt);
  }
  process.send?.({ latenciesMs });
}
