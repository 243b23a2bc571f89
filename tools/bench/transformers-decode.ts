/**
 * The same turns through `@huggingface/transformers`, from a local folder and without a network, where that package is installed (it is none of ours). Asked and
 * answered as bare-decode.ts is; a token is told when the streamer is given it.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

interface Description {
  /** Folder with node_modules that has the package. */
  readonly packages: string;
  /** The model's folder, and the folder that is in. */
  readonly name: string;
  readonly root: string;
  /** `fp32`, `q4`.. */
  readonly dtype: string;
}

interface Ask {
  readonly prompt: readonly number[];
  readonly tokens: number;
}

/** What is used of the package. */
interface Transformers {
  readonly env: { localModelPath: string; allowRemoteModels: boolean };
  readonly AutoModelForCausalLM: {
    from_pretrained(name: string, options: unknown): Promise<{ generate(options: unknown): Promise<unknown> }>;
  };
  readonly Tensor: new (type: string, data: BigInt64Array, dims: readonly number[]) => unknown;
}

const description = JSON.parse(process.argv[2] ?? '') as Description;
const entry = createRequire(`${description.packages}/package.json`).resolve('@huggingface/transformers');
const transformers = (await import(pathToFileURL(entry).href)) as Transformers;
transformers.env.localModelPath = description.root;
transformers.env.allowRemoteModels = false;
const model = await transformers.AutoModelForCausalLM.from_pretrained(description.name, {
  dtype: description.dtype,
  device: 'cpu',
  local_files_only: true,
  session_options: { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', logSeverityLevel: 3 },
});

process.on('message', (ask: Ask) => {
  void speak(ask);
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function speak({ prompt, tokens }: Ask): Promise<void> {
  const dims = [1, prompt.length];
  const ids: number[] = [];
  const gapsMs: number[] = [];
  let firstMs = 0;
  let isPrompt = true;
  let at = performance.now();
  const put = (batch: readonly (readonly bigint[])[]): void => {
    // The first call gives the prompt back.
    if (isPrompt) {
      isPrompt = false;
      return;
    }
    const now = performance.now();
    ids.push(Number(batch[0]?.at(-1) ?? -1));
    if (ids.length === 1) firstMs = now - at;
    else gapsMs.push(now - at);
    at = now;
  };
  await model.generate({
    input_ids: new transformers.Tensor('int64', BigInt64Array.from(prompt, BigInt), dims),
    attention_mask: new transformers.Tensor('int64', new BigInt64Array(prompt.length).fill(1n), dims),
    max_new_tokens: tokens,
    min_new_tokens: tokens,
    do_sample: false,
    streamer: { put, end: () => undefined },
  });
  process.send?.({ ids, firstMs, gapsMs });
}
