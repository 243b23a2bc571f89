import type { Result, ResultItem } from '../core/result.ts';
import type { Stream, StreamId } from '../core/stream.ts';
import { Tally } from './tally.ts';

/** Labels per pipeline that are counted by name; the rest share one entry, so that a model with many classes cannot grow memory. */
const LABELS_MAX = 256;
const OTHER_LABEL = '(other)';

export interface VoiceFigures {
  /** Windows that the model called speech, times the period of their stream. */
  readonly speechSeconds: number;
  readonly utterances: number;
}

/** What the results held: items by pipeline and label, and speech. A window without speech is no detection. */
export interface DetectionMeter {
  record(result: Result): void;
  /** Every pipeline is listed, with `{}` when it found nothing. */
  detections(): Readonly<Record<StreamId, Readonly<Record<string, number>>>>;
  voice(): VoiceFigures;
}

export function createDetectionMeter(streams: readonly Pick<Stream, 'id' | 'periodUs'>[]): DetectionMeter {
  const tallies = new Map<StreamId, Tally<string>>(streams.map((stream) => [stream.id, new Tally()]));
  const periodUs = new Map<StreamId, number>(streams.map((stream) => [stream.id, stream.periodUs]));
  let speechUs = 0;
  let utterances = 0;
  return {
    record(result) {
      const tally = tallies.get(result.pipeline);
      for (const item of result.items) {
        if (!isDetection(item)) continue;
        if (item.kind === 'speech') speechUs += periodUs.get(result.pipeline) ?? 0;
        if (item.kind === 'utterance') utterances += 1;
        const isKnown = tally !== undefined && (tally.has(item.label) || tally.size < LABELS_MAX);
        tally?.add(isKnown ? item.label : OTHER_LABEL);
      }
    },
    detections: () => {
      const all: Record<StreamId, Readonly<Record<string, number>>> = Object.create(null);
      for (const [id, tally] of tallies) all[id] = tally.counts();
      return all;
    },
    voice: () => ({ speechSeconds: speechUs / 1_000_000, utterances }),
  };
}

const isDetection = (item: ResultItem): boolean => item.kind !== 'speech' || item.isSpeech;
