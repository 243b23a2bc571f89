import { assert } from '../../core/assert.ts';

/** All lengths in samples; `SAMPLES_PER_MS` of silero-vad.ts converts. */
export interface SpeechDetectorOptions {
  /** Samples of each window. */
  readonly windowSamples: number;
  /** Speech begins with a window of at least this probability, 0..1. */
  readonly onsetMin: number;
  /** Begun speech goes on through windows of at least this probability, which is no higher than `onsetMin`. */
  readonly offsetMin: number;
  /** Sound kept after the last speech window; `isSpeech` stays true for as long. No longer than `silenceMinSamples`. */
  readonly hangoverSamples: number;
  /** Silence that ends an utterance; shorter pauses stay inside it. */
  readonly silenceMinSamples: number;
  /** An utterance with less speech than this, such as a cough, is thrown away. */
  readonly speechMinSamples: number;
  /** Sound kept from before the first speech window. */
  readonly preRollSamples: number;
  /** An utterance is cut at this length, pre-roll included; speech that goes on begins the next one at once. */
  readonly utteranceMaxSamples: number;
}

/** A finished utterance. Positions count samples since the detector was made, dropped windows included. */
export interface Utterance {
  readonly startSample: number;
  /** One past the last. */
  readonly endSample: number;
  /** Mean probability of the windows that were speech. */
  readonly score: number;
  /** A copy of `endSample - startSample` samples; the caller's own. */
  readonly samples: Float32Array;
}

export interface WindowVerdict {
  readonly isSpeech: boolean;
  readonly utterance: Utterance | undefined;
}

/**
 * From speech probabilities to utterances. Pure: the same windows give the same answers, and no clock is asked.
 *
 * ```
 *            p >= onsetMin                    silence >= silenceMin: emitted, or thrown away when too short
 *   idle ─────────────────────▶ speaking ────────────────────────────────────────────▶ idle
 *     ▲ keeps preRoll samples      │  ▲
 *                                  └──┘ length >= utteranceMax: cut, emitted, goes on without a gap
 * ```
 *
 * A window that was skipped has sound but no probability: it counts as what its predecessor was, never begins speech, and adds nothing to the score
 * or to the speech that `speechMin` asks for. So an overload neither cuts a sentence nor keeps one open for ever.
 */
export class SpeechDetector {
  readonly #options: SpeechDetectorOptions;
  /** Sound since `#start`: the running utterance, or in idle what may become its pre-roll. Sized for the longest utterance and one window. */
  readonly #buffer: Float32Array;
  #length = 0;
  #start = 0;
  #isSpeaking = false;
  /** In samples since `#start`: one past the last speech window. Means nothing in idle. */
  #speechEnd = 0;
  #wasSpeech = false;
  /** The utterance goes on where a longer one was cut, so even a short end of it is kept. */
  #isContinued = false;
  #measuredSamples = 0;
  #scoreTotal = 0;
  #scoreCount = 0;

  constructor(options: SpeechDetectorOptions) {
    const { windowSamples, utteranceMaxSamples, preRollSamples, hangoverSamples, silenceMinSamples } = options;
    assert(options.offsetMin <= options.onsetMin, 'the offset threshold is no higher than the onset threshold');
    assert(hangoverSamples <= silenceMinSamples, 'the hangover is no longer than the silence that ends an utterance');
    assert(
      utteranceMaxSamples >= preRollSamples + silenceMinSamples + windowSamples,
      'the longest utterance holds pre-roll, a window and its end',
    );
    this.#options = options;
    this.#buffer = new Float32Array(utteranceMaxSamples + windowSamples);
  }

  /** Takes the next window; `probability` undefined: it was skipped. */
  push(window: Float32Array, probability: number | undefined): WindowVerdict {
    const { windowSamples, onsetMin, offsetMin } = this.#options;
    assert(window.length === windowSamples, `a window of ${window.length} samples has ${windowSamples}`);
    const isSpeechNow =
      probability === undefined ? this.#isSpeaking && this.#wasSpeech : probability >= (this.#isSpeaking ? offsetMin : onsetMin);
    this.#wasSpeech = isSpeechNow;
    if (!this.#isSpeaking) {
      this.#forgetBefore(this.#options.preRollSamples);
      if (isSpeechNow) this.#isSpeaking = true;
    }
    this.#buffer.set(window, this.#length);
    this.#length += windowSamples;
    if (!this.#isSpeaking) return { isSpeech: false, utterance: undefined };

    if (isSpeechNow) this.#speechEnd = this.#length;
    if (isSpeechNow && probability !== undefined) {
      this.#measuredSamples += windowSamples;
      this.#scoreTotal += probability;
      this.#scoreCount += 1;
    }
    // The silence of the window that ends an utterance is past every hangover, so the verdict is read before the utterance is closed.
    const isSpeech = this.#length - this.#speechEnd <= this.#options.hangoverSamples;
    return { isSpeech, utterance: this.#closed(this.#length - this.#speechEnd >= Math.max(1, this.#options.silenceMinSamples)) };
  }

  /** The sound has ended or is interrupted: ends the running utterance as silence would. What comes next is not joined to it. */
  flush(): Utterance | undefined {
    const utterance = this.#isSpeaking ? this.#closed(true) : undefined;
    this.#forgetBefore(0);
    return utterance;
  }

  /** Ends the running utterance when it is silent or full; it may still turn out too short to report. */
  #closed(isSilent: boolean): Utterance | undefined {
    const { hangoverSamples, utteranceMaxSamples, speechMinSamples } = this.#options;
    const isFull = this.#length >= utteranceMaxSamples;
    if (!isSilent && !isFull) return undefined;
    const end = isSilent ? Math.min(this.#speechEnd + hangoverSamples, this.#length, utteranceMaxSamples) : utteranceMaxSamples;
    const isLongEnough = this.#measuredSamples > 0 && (this.#isContinued || this.#measuredSamples >= speechMinSamples);
    const utterance = isLongEnough ? this.#cut(end) : undefined;
    // What follows is kept: as the beginning of the next utterance, or as its possible pre-roll. Thrown away sound may be pre-roll too.
    if (isFull || isLongEnough) this.#forgetBefore(this.#length - end);
    this.#isSpeaking = !isSilent;
    this.#isContinued = !isSilent;
    // Negative when the cut fell into a pause, which thus goes on being counted.
    this.#speechEnd -= end;
    this.#measuredSamples = 0;
    this.#scoreTotal = 0;
    this.#scoreCount = 0;
    return utterance;
  }

  #cut(end: number): Utterance {
    return {
      startSample: this.#start,
      endSample: this.#start + end,
      score: this.#scoreTotal / this.#scoreCount,
      samples: this.#buffer.slice(0, end),
    };
  }

  /** Keeps the last `keep` samples of the buffer. */
  #forgetBefore(keep: number): void {
    const gone = Math.max(0, this.#length - keep);
    this.#buffer.copyWithin(0, gone, this.#length);
    this.#start += gone;
    this.#length -= gone;
  }
}
