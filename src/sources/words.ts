import type { Clock, Timer } from '../core/clock.ts';
import type { SourceId, Words } from '../core/frame.ts';
import { addUs, type DurationUs } from '../core/units.ts';
import { createEmittingSource } from './emitter.ts';
import type { Source } from './source.ts';

export interface WordsSourceOptions {
  readonly kind: 'words';
  readonly id: SourceId;
  readonly script: readonly Words[];
  /** From one line of the script to the next. */
  readonly periodUs: DurationUs;
  readonly isLooping: boolean;
  /** Words come from elsewhere too, through `hear`, so the source does not end with its script. */
  readonly hearsOthers: boolean;
}

export interface WordsSourceDeps {
  readonly clock: Clock;
  /** Words that others say on the topic of this source, as they came; returns the way out. Absent where there is no MQTT. */
  readonly hear?: ((source: SourceId, onWords: (bytes: Uint8Array) => void) => () => void) | undefined;
}

/** A text that is longer is nothing that anybody says; what is left of it would be answered wrongly. */
const TEXT_BYTES_MAX = 16_384;

/** For whoever only reckons with lengths, such as the simulator: what a situation takes as a prompt, a character of the words, and a short answer. */
const SITUATION_TOKENS = 128;
const CHARACTERS_PER_TOKEN = 4;
const ANSWER_TOKENS = 24;

/** Somebody who speaks: line by line from a script, and what comes over MQTT, as words of a stranger. */
export function createWordsSource(options: WordsSourceOptions, { clock, hear }: WordsSourceDeps): Source {
  const { id, script, periodUs, isLooping, hearsOthers } = options;
  return createEmittingSource(id, (emit) => {
    let next = 0;
    let timer: Timer | undefined;
    const say = (words: Words): void =>
      emit.frame(clock.now(), {
        kind: 'turn',
        promptTokens: SITUATION_TOKENS + Math.ceil(words.text.length / CHARACTERS_PER_TOKEN),
        answerTokens: ANSWER_TOKENS,
        isFollowUp: false,
        words,
      });
    const leave = hearsOthers ? hear?.(id, (bytes) => receive(bytes)) : undefined;
    const receive = (bytes: Uint8Array): void => {
      if (emit.isClosed) return;
      if (bytes.byteLength > TEXT_BYTES_MAX) return emit.reject('oversized', `words of more than ${TEXT_BYTES_MAX} bytes came in`);
      const text = textOf(bytes);
      if (text === undefined) return emit.reject('corrupt', 'words came in that are not UTF-8');
      if (text.trim() === '') return emit.reject('corrupt', 'words came in that say nothing');
      say({ text, provenance: 'mqtt' });
    };
    const sayNext = (): void => {
      const words = script[next];
      if (words === undefined) return;
      next += 1;
      say(words);
      if (emit.isClosed) return;
      if (next === script.length && isLooping) next = 0;
      if (next < script.length) timer = clock.at(addUs(clock.now(), periodUs), sayNext);
      else if (!hearsOthers) emit.end(`all ${script.length} lines were said`);
    };
    emit.state('live', script.length === 0 ? 'listening' : `${script.length} lines, one every ${periodUs / 1e6} s`);
    if (script.length > 0) timer = clock.at(addUs(clock.now(), periodUs), sayNext);
    return () => {
      timer?.cancel();
      leave?.();
    };
  });
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
