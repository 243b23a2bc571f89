import { z } from 'zod';
import { CoxswainError } from '../../core/errors.ts';

/** The most alternatives that are told with their log-probability, as in the OpenAI API. */
export const TOP_LOGPROBS_MAX = 20;

const samplingSchema = z.strictObject({
  /** 0: always the likeliest token. Logits are divided by it otherwise. */
  temperature: z.number().min(0).max(100).default(1),
  /** Only the k likeliest tokens; 0: all. */
  topK: z.int().min(0).max(10_000_000).default(0),
  /** Only the likeliest tokens that together have this probability; 1: all. */
  topP: z.number().gt(0).max(1).default(1),
  /** Only tokens at least this probable in relation to the likeliest; 0: all. */
  minP: z.number().min(0).max(1).default(0),
  /** Divides positive logits of tokens that the prompt or the answer has, multiplies negative ones; 1: nothing. */
  repetitionPenalty: z.number().gt(0).max(100).default(1),
  /** Taken off a token's logit once for each time the answer has it; 0: nothing. */
  frequencyPenalty: z.number().min(-100).max(100).default(0),
  /** Taken off a token's logit when the answer has it; 0: nothing. */
  presencePenalty: z.number().min(-100).max(100).default(0),
  /** The same seed with the same logits gives the same tokens. */
  seed: z.union([z.number(), z.string().max(1_000)]).default(0),
  /** How many alternatives to tell beside the chosen token's log-probability; left out: none of it. */
  logprobs: z.int().min(0).max(TOP_LOGPROBS_MAX).optional(),
});

/** How a token is chosen from logits. Plain data: it crosses to the process that decodes. */
export type SamplingOptions = Readonly<z.infer<typeof samplingSchema>>;

/** Options with what was left out filled in. Errors: PROMPT_REFUSED (a value out of its range, a key that is none). */
export function readSamplingOptions(value: unknown): SamplingOptions {
  const result = samplingSchema.safeParse(value);
  if (result.success) return Object.freeze(result.data);
  const problems = result.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'options'}: ${issue.message}`);
  throw new CoxswainError('PROMPT_REFUSED', `sampling: ${problems.join('; ')}. Correct the values, or leave them out.`);
}
