import { describe, expect, it } from 'vitest';
import { type Answer, startLoad } from '../../../../src/bench/load/start-load.ts';
import type { LoadPattern } from '../../../../src/core/bench-suite.ts';
import { after } from '../../../../src/core/clock.ts';
import { Prng } from '../../../../src/core/prng.ts';
import { SimClock } from '../../../../src/core/sim-clock.ts';
import { durationUs, instantUs } from '../../../../src/core/units.ts';

const UNTIL = instantUs(1_000_000);

/** A server that answers each request after `serviceUs`, whatever else it does. */
function serve(pattern: LoadPattern, serviceUs: number, answer: (request: number) => Answer = () => 'result') {
  const clock = new SimClock();
  const requestedAt: number[] = [];
  const resultListeners: (() => void)[] = [];
  let [inFlight, inFlightMax] = [0, 0];
  startLoad(
    { pattern },
    {
      clock,
      prng: new Prng(1),
      until: UNTIL,
      request: (onAnswer) => {
        const request = requestedAt.push(clock.now());
        inFlight += 1;
        inFlightMax = Math.max(inFlightMax, inFlight);
        const end = (): void => {
          inFlight -= 1;
          onAnswer(answer(request));
        };
        if (serviceUs === 0) end();
        else after(clock, durationUs(serviceUs), end);
      },
      onResult: (load, listener) => {
        expect(load).toBe('first');
        resultListeners.push(listener);
      },
    },
  );
  return { clock, requestedAt, inFlightMax: () => inFlightMax, result: () => resultListeners.forEach((listener) => void listener()) };
}

describe('a closed loop', () => {
  const closed = (clients: number, thinkUs: number): LoadPattern => ({ kind: 'closed-loop', clients, thinkUs: durationUs(thinkUs) });

  it('has as many requests under way as it has clients, always', () => {
    const { clock, requestedAt, inFlightMax } = serve(closed(3, 0), 1_000);
    clock.runUntil(instantUs(10_500));
    expect(requestedAt).toHaveLength(33);
    expect(inFlightMax()).toBe(3);
  });

  it('thinks between an answer and the next request', () => {
    const { clock, requestedAt } = serve(closed(1, 4_000), 1_000);
    clock.runUntil(instantUs(20_000));
    expect(requestedAt).toEqual([0, 5_000, 10_000, 15_000, 20_000]);
  });

  it('lets a millisecond pass when it was turned away at once, so that time goes on', () => {
    const { clock, requestedAt } = serve(closed(1, 0), 0, () => 'nothing');
    clock.runUntil(instantUs(3_500));
    expect(requestedAt).toEqual([0, 1_000, 2_000, 3_000]);
  });

  it('asks no more when the time is over', () => {
    const { clock, requestedAt } = serve(closed(1, 0), 300_000);
    clock.runUntil(instantUs(5_000_000));
    expect(requestedAt).toEqual([0, 300_000, 600_000, 900_000]);
  });
});

describe('an open load', () => {
  it('asks whether it was answered or not, and never at the end or after it', () => {
    const { clock, requestedAt } = serve({ kind: 'uniform', periodUs: 250_000, phaseUs: 0 }, 10_000_000);
    clock.runUntil(instantUs(20_000_000));
    expect(requestedAt).toEqual([0, 250_000, 500_000, 750_000]);
  });
});

describe('a dependent load', () => {
  it('asks once for every result of the other, after its delay', () => {
    const { clock, requestedAt, result } = serve({ kind: 'dependent', after: 'first', delayUs: durationUs(200) }, 50);
    clock.runUntil(instantUs(100));
    result();
    result();
    clock.runUntil(instantUs(50_000));
    result();
    clock.runUntil(instantUs(999_900));
    result();
    clock.runUntil(instantUs(2_000_000));
    expect(requestedAt).toEqual([300, 300, 50_200]);
  });
});
