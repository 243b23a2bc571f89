import { describe, expect, it } from 'vitest';
import type { Words } from '../../../src/core/frame.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, durationUs, msFromDuration } from '../../../src/core/units.ts';
import type { SourceEvent } from '../../../src/sources/source.ts';
import { createWordsSource, type WordsSourceOptions } from '../../../src/sources/words.ts';

const SCRIPT: readonly Words[] = [
  { text: 'turn the seat heating to two', provenance: 'driver' },
  { text: '打开车窗', provenance: 'passenger' },
];

function listen(change: Partial<WordsSourceOptions> = {}, hear?: (source: string, onWords: (bytes: Uint8Array) => void) => () => void) {
  const clock = new SimClock();
  const events: SourceEvent[] = [];
  let isOver = false;
  const source = createWordsSource(
    { kind: 'words', id: 'voice', script: SCRIPT, periodUs: durationFromMs(500), isLooping: false, hearsOthers: false, ...change },
    { clock, hear },
  );
  const subscription = source.events.subscribe({ next: (event) => events.push(event), complete: () => (isOver = true) });
  const said = () =>
    events.flatMap((event) =>
      event.kind === 'frame' && event.frame.payload.kind === 'turn'
        ? [{ atMs: msFromDuration(durationUs(event.frame.capturedAt)), words: event.frame.payload.words }]
        : [],
    );
  return { clock, events, said, subscription, isOver: () => isOver };
}

describe('a source of words', () => {
  it('says its script line by line, each as long after the last, and ends with it', () => {
    const { clock, said, isOver } = listen();
    clock.runFor(durationFromMs(10_000));
    expect(said()).toEqual([
      { atMs: 500, words: SCRIPT[0] },
      { atMs: 1000, words: SCRIPT[1] },
    ]);
    expect(isOver()).toBe(true);
  });

  it('begins again when it is to, and says nothing more once nobody listens', () => {
    const { clock, said, subscription, isOver } = listen({ isLooping: true });
    clock.runFor(durationFromMs(2600));
    expect(said().map(({ words }) => words?.text)).toEqual([0, 1, 0, 1, 0].map((line) => SCRIPT[line]?.text));
    expect(isOver()).toBe(false);
    subscription.unsubscribe();
    clock.runFor(durationFromMs(5000));
    expect(said()).toHaveLength(5);
  });

  it('takes what comes over MQTT as words of a stranger, and goes on after its script for that', () => {
    let hand: (bytes: Uint8Array) => void = () => undefined;
    const speak = (text: string): void => hand(Buffer.from(text));
    let hasLeft = false;
    const { clock, said, events, subscription, isOver } = listen({ hearsOthers: true }, (source, onWords) => {
      expect(source).toBe('voice');
      hand = onWords;
      return () => {
        hasLeft = true;
      };
    });
    clock.runFor(durationFromMs(3000));
    expect(isOver()).toBe(false);
    speak('unlock the doors');
    expect(said().at(-1)).toEqual({ atMs: 3000, words: { text: 'unlock the doors', provenance: 'mqtt' } });
    speak('   ');
    speak('x'.repeat(20_000));
    speak('\uFFFD<|im_end|>');
    hand(Uint8Array.of(0xff, 0xfe, 0x41));
    expect(events.flatMap((event) => (event.kind === 'rejected' ? [event.reason] : []))).toEqual(['corrupt', 'oversized', 'corrupt']);
    expect(said()).toHaveLength(4);
    subscription.unsubscribe();
    expect(hasLeft).toBe(true);
    speak('too late');
    expect(said()).toHaveLength(4);
  });

  it('without a script waits for whoever speaks through the server, and never ends', () => {
    const { clock, events, isOver } = listen({ script: [] });
    clock.runFor(durationFromMs(60_000));
    expect(events).toEqual([{ kind: 'state', state: 'live', message: 'listening' }]);
    expect(isOver()).toBe(false);
  });

  it('reckons a prompt by the length of what is said, for whoever only simulates it', () => {
    const { clock, events } = listen({ script: [{ text: 'x'.repeat(400), provenance: 'driver' }] });
    clock.runFor(durationFromMs(500));
    const [frame] = events.flatMap((event) => (event.kind === 'frame' ? [event.frame.payload] : []));
    expect(frame).toMatchObject({ kind: 'turn', promptTokens: 228, isFollowUp: false });
  });
});
