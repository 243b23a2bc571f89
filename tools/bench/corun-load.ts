import { sampleModel } from './saturated-engine.ts';

/** What runs side by side, however it is run: see corun.ts. */
export const CAMERA_MS = 125;
export const VAD_MS = 32;
export const camera = sampleModel('nanodet');
export const vad = sampleModel('silero-vad');

export interface Talk {
  readonly folder: string;
  readonly variant: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** Another text each turn, so that nothing is cached of it. */
export const promptOf = (length: number, turn: number, vocabulary: number): number[] =>
  Array.from({ length }, (_, index) => 3 + ((index * 7919 + 104_729 * turn) % (vocabulary - 3)));

/** What came of all windows of one way to run it. */
export interface Window {
  readonly cameraMs: number[];
  readonly vadMs: number[];
  /** Of both, those that were not done in time. */
  misses: number;
  /** Prompt tokens, with the time until the first token; tokens after the first, with the time between them. */
  read: number;
  readMs: number;
  written: number;
  writtenMs: number;
}

export const emptyWindow = (): Window => ({ cameraMs: [], vadMs: [], misses: 0, read: 0, readMs: 0, written: 0, writtenMs: 0 });
