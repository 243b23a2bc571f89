import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { TurnSummary } from '../../../src/core/turn-task.ts';
import { addUs, durationFromMs } from '../../../src/core/units.ts';
import { nativeLibraryPath } from '../../../src/devices/ort/native-library.ts';
import { createChatTemplate } from '../../../src/models/language/chat-template.ts';
import { readDecoderDirectory, readDecoderVariant, variantOf } from '../../../src/models/language/decoder-directory.ts';
import { DecoderEngine } from '../../../src/models/language/decoder-engine.ts';
import { decoderTensors } from '../../../src/models/language/decoder-graph.ts';
import { greedyChooser } from '../../../src/models/language/token-chooser.ts';
import { createTokenizer } from '../../../src/models/language/tokenizer.ts';
import { openOnnxRuntime } from '../../../src/native/onnx-runtime.ts';
import type { SpeakRequest } from '../../../src/pipeline/conversation-desk.ts';
import { type ConversationRig, createConversationRig } from '../../support/conversation-rig.ts';

/**
 * Many conversations at once with the model that ships, through the whole engine on one core, beside a camera that goes first. What each is told is held to the same
 * turn spoken alone, with as much of its text cached as there was: int4 reads a token of a prompt otherwise than one that it has just written, so that is part of the text's past.
 */

const folder = resolve(import.meta.dirname, '../../../models/cockpit-lm');
const CHUNK_TOKENS = 16;
const TEXTS_MAX = 40;
const BURST_TOKENS = 4;

const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const template = createChatTemplate(
  'cockpit-lm',
  createTokenizer('cockpit-lm', {
    ...{ tokenizer: read('tokenizer.json'), config: read('tokenizer_config.json'), generation: read('generation_config.json') },
  }),
);
const SYSTEM = {
  role: 'system',
  content:
    'You are Coxswain, the voice of a car. 14:50\nspeed 50 km/h, gear D, inside 17 C, outside 2 C, set 25 C\nrange 117 km, windows closed\nahead: 2 people 6 m, 1 dog 7 m',
} as const;
const WISHES = [
  ['Set the seat heating of the driver to two', 'and the passenger too', 'thank you very much'],
  ['What do you see in front of me?', 'how far away is the dog', '车窗关好了吗'],
  ['将车内设成二十二点五度，快点', 'it is still far too cold in here, please make it warmer by three degrees', 'stop'],
  ['play something quiet, and turn it down to ten percent after that', '下一首', 'who are you?'],
  ['How far can we still go with this battery, and is that enough for the way home?', 'navigate to the nearest charging station', 'cancel'],
] as const;
const sharedTokens = template.encode({ messages: [SYSTEM], addsGenerationPrompt: false }).ids.length;

/** The text of a conversation's next turn: all of it so far, and another wish. Every conversation has other words. */
function textOf(conversation: number, turn: number, before: readonly number[]): number[] {
  const wish = WISHES[conversation % WISHES.length]?.[turn] ?? '';
  const user = { role: 'user', content: `${conversation}${'!'.repeat(conversation % 4)} ${wish}` } as const;
  const said = template.encode({ messages: turn === 0 ? [SYSTEM, user] : [user] }).ids;
  return [...before, ...said];
}

let dir: string;
let rig: ConversationRig | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'coxswain-conversations-'));
});
afterEach(async () => {
  await rig?.close();
  rig = undefined;
  rmSync(dir, { recursive: true });
});

interface Spoken {
  readonly ids: number[];
  readonly outcome: Outcome;
  readonly summary: TurnSummary;
}

function speak({ desk }: ConversationRig, request: SpeakRequest, onTokens: (count: number) => void = () => undefined): Promise<Spoken> {
  const ids: number[] = [];
  return new Promise((resolveTurn, reject) => {
    desk.speak(request, {
      onTokens: (made) => {
        ids.push(...made.map(({ id }) => id));
        onTokens(made.length);
      },
      onEnd: (outcome, summary) =>
        summary === undefined ? reject(new Error(JSON.stringify(outcome))) : resolveTurn({ ids, outcome, summary }),
    });
  });
}

/** Pictures for the camera's model every few milliseconds, until told to stop; then how their jobs ended. */
function keepLooking({ memory, clock, engine }: ConversationRig): () => Promise<Outcome[]> {
  const looks: Promise<Outcome>[] = [];
  const look = (): void => {
    const inputs = [16, 16].flatMap((bytes) => memory.allocate(bytes) ?? []);
    for (const region of inputs) new Float32Array(memory.shared.buffer, region.offsetBytes, 4).fill(1);
    const capturedAt = clock.now();
    // Every other one is in such a hurry that it cannot wait for a burst to end.
    const deadlineMs = looks.length % 2 === 0 ? 20_000 : 12;
    const id = engine.desk.open(engine.desk.bookOf('camera'), capturedAt);
    const job = { id, stream: 'camera', model: 'divide', capturedAt, deadlineAt: addUs(capturedAt, durationFromMs(deadlineMs)) };
    looks.push(
      new Promise((settle) =>
        engine.desk.submit({
          ...{ job, inputs, decode: (_outputs, listener) => listener.decoded([]) },
          settle(outcome) {
            for (const region of inputs) memory.release(region);
            settle(outcome);
          },
        }),
      ),
    );
  };
  const timer = setInterval(look, 3);
  return () => {
    clearInterval(timer);
    return Promise.all(looks);
  };
}

interface Turn {
  readonly text: readonly number[];
  readonly tokensMax: number;
  readonly spoken: Spoken;
}

/** The same turns of one conversation, alone: a model of its own, in this process, one turn after the other. */
function createAlone(variant: string): (turns: readonly Turn[]) => number[][] {
  const directory = readDecoderDirectory(folder);
  const facts = readDecoderVariant(directory, variantOf(directory, variant));
  const session = openOnnxRuntime(nativeLibraryPath()).open(variantOf(directory, variant).file, {
    ...{ ...decoderTensors(facts.config, facts.graph), threads: 1, settings: { 'session.x64quantprecision': '1' } },
  });
  return (turns) => {
    const engine = new DecoderEngine(session, facts, { chunkTokens: CHUNK_TOKENS, cacheBytesMax: 2 ** 26, textsMax: 1 });
    const say = (tokens: readonly number[], tokensMax: number): number[] => {
      const ids: number[] = [];
      const turn = engine.begin({ conversation: 'alone', tokens, tokensMax, chooser: greedyChooser });
      while (turn.finish === undefined) turn.run(100, { isYieldWanted: () => false, onToken: ({ id }) => ids.push(id) });
      return ids;
    };
    const answers = turns.map(({ text, tokensMax, spoken: { summary } }) => {
      if (engine.cachedTokens('alone', text) !== summary.cachedTokens) {
        engine.forget('alone');
        if (summary.cachedTokens > 0) say(text.slice(0, summary.cachedTokens), 1);
      }
      expect(engine.cachedTokens('alone', text)).toBe(summary.cachedTokens);
      return say(text, tokensMax);
    });
    engine.release();
    return answers;
  };
}

/** What each of 16 was told from the moment when all had their first token until the first of them had its last. */
function sharesWhileAllAnswer(told: readonly { readonly conversation: number; readonly count: number }[]): number[] {
  const first = Array.from({ length: 16 }, (_, who) => told.findIndex(({ conversation }) => conversation === who));
  const last = Array.from({ length: 16 }, (_, who) => told.findLastIndex(({ conversation }) => conversation === who));
  const between = told.slice(Math.max(...first), Math.min(...last));
  return first.map((_, who) => between.reduce((sum, { conversation, count }) => (conversation === who ? sum + count : sum), 0));
}

for (const variant of ['fp32', 'q4'])
  describe(`the model that ships, in ${variant}`, () => {
    it('tells 1, 4 and 16 conversations at once what each would be told alone, in bounded memory', async () => {
      const alone = createAlone(variant);
      let yields = 0;
      for (const atOnce of [1, 4, 16]) {
        // A text takes 0.4 to 0.8 MB; while it grows it is there twice.
        const cacheBytesMax = 2 ** 20 * (0.5 + 0.7 * atOnce);
        rig = await createConversationRig(dir, folder, {
          ...{ variant, chunkTokens: CHUNK_TOKENS, cacheBytesMax, textsMax: TEXTS_MAX, burstTokens: 64, tuning: { resume: 'fair' } },
        });
        const running = rig;
        const stopLooking = keepLooking(running);
        const turns = new Map<number, Turn[]>();
        const talk = async (number: number): Promise<void> => {
          const own = turns.get(number) ?? [];
          const last = own.at(-1);
          const text = textOf(number, own.length, last === undefined ? [] : [...last.text, ...last.spoken.ids]);
          const tokensMax = 8 + ((7 * number + 5 * own.length) % 24);
          const spoken = await speak(running, { conversation: `c${number}`, tokens: text, tokensMax, sharedTokens });
          turns.set(number, [...own, { text, tokensMax, spoken }]);
        };
        // Each goes on at once with its second turn, and when others have been there with its third.
        for (const group of [0, 0, 1, 1, 0, 1])
          await Promise.all(Array.from({ length: atOnce }, (_, index) => talk(group * atOnce + index)));
        const looks = await stopLooking();
        expect(looks.some(({ kind }) => kind === 'done')).toBe(true);
        const all = [...turns.values()].flat();
        const caches = all.map(({ spoken }) => spoken.summary.cache ?? { cacheBytes: Number.NaN, texts: Number.NaN, evictions: 0 });
        expect(Math.max(...caches.map(({ cacheBytes }) => cacheBytes))).toBeLessThanOrEqual(cacheBytesMax);
        expect(Math.max(...caches.map(({ texts }) => texts))).toBeLessThanOrEqual(TEXTS_MAX);
        expect(Math.max(...caches.map(({ evictions }) => evictions))).toBeGreaterThanOrEqual(atOnce);
        yields += running.yields();
        // All but the very first found the system prompt, and in their second turn what had been said.
        expect(all.filter(({ spoken: { summary } }) => summary.cachedTokens >= sharedTokens).length).toBeGreaterThanOrEqual(
          all.length - atOnce,
        );
        for (const [, [first, second]] of turns)
          expect(second?.spoken.summary.cachedTokens).toBeGreaterThanOrEqual(first?.text.length ?? Number.NaN);
        for (const [number, own] of turns) expect([number, own.map(({ spoken }) => spoken.ids)]).toEqual([number, alone(own)]);
        await running.close();
        rig = undefined;
      }
      expect(yields).toBeGreaterThan(0);
    });

    it('gives 16 conversations that go on in turn the same share of its tokens', async () => {
      rig = await createConversationRig(dir, folder, {
        variant,
        chunkTokens: CHUNK_TOKENS,
        textsMax: TEXTS_MAX,
        burstTokens: BURST_TOKENS,
        tuning: { resume: 'fair' },
      });
      const running = rig;
      const stopLooking = keepLooking(running);
      /** Who was told how many tokens, in the order of telling. */
      const told: { readonly conversation: number; readonly count: number }[] = [];
      // A list of 30 numbers takes at least 60 tokens, whatever the model would say.
      const constraint = { kind: 'json', schema: { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 30, maxItems: 40 } };
      await Promise.all(
        Array.from({ length: 16 }, (_, conversation) =>
          speak(
            running,
            {
              conversation: `c${conversation}`,
              tokens: textOf(conversation, 0, []),
              tokensMax: 70 + 5 * conversation,
              choosing: { constraint },
            },
            (count) => told.push({ conversation, count }),
          ),
        ),
      );
      await stopLooking();
      const gained = sharesWhileAllAnswer(told);
      const mean = gained.reduce((sum, count) => sum + count, 0) / gained.length;
      expect(mean).toBeGreaterThan(40);
      for (const count of gained) expect(Math.abs(count - mean)).toBeLessThanOrEqual(2 * BURST_TOKENS);
    });
  });
