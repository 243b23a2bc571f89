import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ModelSpec } from '../../src/core/model.ts';
import { decoderSpec } from '../../src/models/language/decoder-spec.ts';
import { CAMERA_MS, camera, promptOf, type Talk, VAD_MS, vad, type Window } from './corun-load.ts';

interface Child {
  ask<T>(message: unknown): Promise<T>;
  close(): void;
}

async function createChild(file: string, description: unknown): Promise<Child> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL(file, import.meta.url)), JSON.stringify(description)],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
    },
  );
  const answer = <T>(): Promise<T> => new Promise((take) => child.once('message', (message) => take(message as T)));
  await answer();
  return {
    ask(message) {
      child.send(message as object);
      return answer();
    },
    close: () => child.disconnect(),
  };
}

/** Each model in a process of its own, as the operating system has them: nobody manages anything. */
export async function createUnmanagedLoad({ folder, variant, promptTokens, answerTokens }: Talk) {
  const { spec, facts } = decoderSpec({ id: 'lm', folder, variant, chunkTokens: 128, cacheBytesMax: 0, textsMax: 1 });
  const { layers, kvHeads, headSize, vocabulary } = facts.config;
  const inputsOf = ({ inputs, states, constants }: ModelSpec) => [...inputs, ...states.map(({ input }) => input), ...constants];
  const [cameraChild, vadChild, talkChild] = await Promise.all([
    createChild('./bare-periodic.ts', { file: camera.file, periodMs: CAMERA_MS, inputs: inputsOf(camera) }),
    createChild('./bare-periodic.ts', { file: vad.file, periodMs: VAD_MS, inputs: inputsOf(vad) }),
    createChild('./bare-decode.ts', { file: spec.file, layers, kvHeads, headSize, vocabulary }),
  ]);
  let turns = 0;
  const lateOf = (latenciesMs: readonly number[], periodMs: number): number => latenciesMs.filter((latency) => latency > periodMs).length;
  return {
    async measure(window: Window, has: { readonly vision: boolean; readonly talk: boolean }, seconds: number): Promise<void> {
      let isOver = !has.talk;
      const talk = async (): Promise<void> => {
        while (!isOver) {
          turns += 1;
          const ask = { prompt: promptOf(promptTokens, turns, vocabulary), tokens: answerTokens };
          const { firstMs, gapsMs } = await talkChild.ask<{ readonly firstMs: number; readonly gapsMs: readonly number[] }>(ask);
          // One that nobody ran beside to its end says nothing.
          if (isOver) return;
          window.read += promptTokens;
          window.readMs += firstMs;
          window.written += gapsMs.length;
          window.writtenMs += gapsMs.reduce((sum, gap) => sum + gap, 0);
        }
      };
      const talking = talk();
      const watch = async (child: Child): Promise<readonly number[]> =>
        (await child.ask<{ readonly latenciesMs: readonly number[] }>({ seconds })).latenciesMs;
      const [cameraMs, vadMs] = await Promise.all([watch(cameraChild), watch(vadChild)]);
      isOver = true;
      window.cameraMs.push(...cameraMs);
      window.vadMs.push(...vadMs);
      window.misses += lateOf(cameraMs, CAMERA_MS) + lateOf(vadMs, VAD_MS);
      await talking;
    },
    async close(): Promise<void> {
      for (const child of [cameraChild, vadChild, talkChild]) child.close();
    },
  };
}
