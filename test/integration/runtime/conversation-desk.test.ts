import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { TurnSummary } from '../../../src/core/turn-task.ts';
import { addUs, durationFromMs } from '../../../src/core/units.ts';
import type { ConversationDesk, SpeakRequest, Speech } from '../../../src/pipeline/conversation-desk.ts';
import { randomWeights } from '../../../tools/decoder/decoder-weights.ts';
import { type ConversationRig, createConversationRig } from '../../support/conversation-rig.ts';
import { referenceLogits } from '../../support/reference-decoder.ts';
import { tinyDecoderConfig, writeTinyDecoder } from '../../support/tiny-decoder.ts';

/** The whole engine, scheduler and all, with a decoder and a camera's model on one core. */

const config = tinyDecoderConfig();
const weights = new Map<string, Float32Array>();
const read = (name: string, shape: readonly number[]): Float32Array => {
  const values = weights.get(name) ?? randomWeights(7, config).read(name, shape);
  weights.set(name, values);
  return values;
};

function golden(tokens: readonly number[], count: number): number[] {
  const text = [...tokens];
  while (text.length < tokens.length + count) {
    const last = referenceLogits(config, read, text).at(-1) ?? new Float64Array();
    const next = last.indexOf(Math.max(...last));
    if (next === 2) break;
    text.push(next);
  }
  return text.slice(tokens.length);
}

const prompt = (seed: number, length = 20): number[] => Array.from({ length }, (_, index) => 3 + ((index * (11 + seed) + 5 * seed) % 200));

let dir: string;
let rig: ConversationRig;
let desk: ConversationDesk;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'coxswain-conversation-'));
  rig = await createConversationRig(dir, writeTinyDecoder(join(dir, 'lm')));
  desk = rig.desk;
});

afterEach(async () => {
  await rig.close();
  rmSync(dir, { recursive: true });
});

interface Heard {
  readonly speech: Speech;
  readonly ids: number[];
  readonly end: Promise<{ readonly outcome: Outcome; readonly summary: TurnSummary | undefined }>;
}

function speak(
  conversation: string,
  tokens: readonly number[],
  tokensMax: number,
  onFirst: () => void = () => undefined,
  rest: Partial<SpeakRequest> = {},
): Heard {
  const ids: number[] = [];
  let settle: (end: { readonly outcome: Outcome; readonly summary: TurnSummary | undefined }) => void = () => undefined;
  const end = new Promise<{ readonly outcome: Outcome; readonly summary: TurnSummary | undefined }>((resolve) => {
    settle = resolve;
  });
  const speech = desk.speak(
    { conversation, tokens, tokensMax, ...rest },
    {
      onTokens: (made) => {
        if (ids.length === 0) onFirst();
        ids.push(...made.map(({ id }) => id));
      },
      onEnd: (outcome, summary) => settle({ outcome, summary }),
    },
  );
  return { speech, ids, end };
}

/** A picture for the other model; resolves to how its job ended. */
function look(): Promise<Outcome> {
  const regions = [16, 16].map((bytes) => rig.memory.allocate(bytes));
  const inputs = regions.flatMap((region) => (region === undefined ? [] : [region]));
  for (const region of inputs) new Float32Array(rig.memory.shared.buffer, region.offsetBytes, 4).fill(1);
  const capturedAt = rig.clock.now();
  const id = rig.engine.desk.open(rig.engine.desk.bookOf('camera'), capturedAt);
  return new Promise((resolve) =>
    rig.engine.desk.submit({
      job: { id, stream: 'camera', model: 'divide', capturedAt, deadlineAt: addUs(capturedAt, durationFromMs(20_000)) },
      inputs,
      decode: (_outputs, listener) => listener.decoded([]),
      settle: (outcome) => {
        for (const region of inputs) rig.memory.release(region);
        resolve(outcome);
      },
    }),
  );
}

it('answers eight conversations at once as each would be answered alone, with pictures looked at between', async () => {
  const heard = Array.from({ length: 8 }, (_, index) => speak(`c${index}`, prompt(index, 12 + index), 6));
  const looks: Promise<Outcome>[] = [];
  for (let count = 0; count < 20; count += 1) {
    looks.push(look());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  for (const { end } of heard) expect((await end).outcome).toEqual({ kind: 'done' });
  expect(heard.map(({ ids }) => ids)).toEqual(heard.map((_, index) => golden(prompt(index, 12 + index), 6)));
  expect(await Promise.all(looks)).toEqual(looks.map(() => ({ kind: 'done' })));
  expect(rig.memory.arena.usedBytes).toBe(0);
});

it('goes on from what is cached, and reads again what a lost core took with it', async () => {
  const first = speak('a', prompt(2), 4);
  await first.end;
  const text = [...prompt(2), ...first.ids, 50, 51];
  const second = speak('a', text, 4);
  expect((await second.end).summary).toMatchObject({ cachedTokens: 23, promptTokens: 3 });
  process.kill(rig.engine.device.health(0).pid ?? Number.NaN, 'SIGKILL');
  const third = speak('a', [...text, ...second.ids, 60], 4);
  expect((await third.end).outcome).toEqual({ kind: 'done' });
  expect(second.ids).toEqual(golden(text, 4));
  expect(third.ids).toEqual(golden([...text, ...second.ids, 60], 4));
});

it('leaves off soon when nobody listens any more, and the conversation goes on with its next turn', async () => {
  const heard: Heard = speak('a', prompt(3), 70, () => heard.speech.cancel());
  expect((await heard.end).outcome).toEqual({ kind: 'dropped', reason: 'cancelled' });
  expect(heard.ids.length).toBeLessThan(70);
  const next = speak('a', [...prompt(3), 9], 3);
  expect((await next.end).outcome).toEqual({ kind: 'done' });
  expect(next.ids).toEqual(golden([...prompt(3), 9], 3));
});
