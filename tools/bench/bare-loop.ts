/**
 * The plainest alternative to the runtime: one process, one session, `session.run` in a loop on the same input. It works in slices that its parent asks for
 * with `{seconds}` and answers each with `{runs, seconds}`.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';

interface BareModel {
  readonly file: string;
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

const model = JSON.parse(process.argv[2] ?? '') as BareModel;
const session = await InferenceSession.create(model.file, {
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
});
const feeds = Object.fromEntries(
  model.inputs.map(({ name, shape }) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.25);
    return [name, new Tensor('float32', data, [...shape])] as const;
  }),
);

process.on('message', (message: { readonly seconds: number }) => {
  void loop(message.seconds);
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function loop(seconds: number): Promise<void> {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let runs = 0;
  while (performance.now() < endsAt) {
    await session.run(feeds);
    runs += 1;
  }
  process.send?.({ runs, seconds: (performance.now() - startedAt) / 1000 });
}
