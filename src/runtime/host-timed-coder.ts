import { assert } from '../core/assert.ts';
import { after, type Clock } from '../core/clock.ts';
import { createDeferred } from '../core/deferred.ts';
import type { ResultItem } from '../core/result.ts';
import type { SocProfile } from '../core/soc-profile.ts';
import { addUs, durationUs } from '../core/units.ts';
import type { Decode, ImageCoder } from '../pipeline/work.ts';
import type { RealWork } from './real-work.ts';

export interface HostTimedCoderDeps {
  /** The simulation's. */
  readonly clock: Clock;
  readonly work: RealWork;
  readonly host: SocProfile['host'];
}

/** Encodes and decodes as `coder` does, and takes the time that the simulated host takes for it, however long that is in reality. */
export function createHostTimedCoder(coder: ImageCoder, { clock, work, host }: HostTimedCoderDeps): ImageCoder {
  function timed<T>(us: number, begin: (onEnd: (answer: T | Error) => void) => void, onEnd: (answer: T | Error) => void): void {
    const takesUs = durationUs(Math.round(us));
    const dueAt = addUs(clock.now(), takesUs);
    const done = createDeferred<void>();
    let answer: T | Error | undefined;
    begin((given) => {
      answer = given;
      done.resolve();
    });
    work.hold(done.promise, () => dueAt);
    after(clock, takesUs, () => {
      assert(answer !== undefined, 'virtual time waits until a frame is encoded or decoded');
      onEnd(answer);
    });
  }
  const timedDecode =
    (decode: Decode): Decode =>
    (outputs, listener) =>
      timed<readonly ResultItem[]>(
        host.decodeUs,
        (told) => decode(outputs, { decoded: told }),
        (answer) => listener.decoded(answer),
      );
  return {
    encode: (payload, input, deadlineAt, onEnd) =>
      timed<Decode>(
        host.prepareUs,
        (told) => coder.encode(payload, input, deadlineAt, told),
        (answer) => onEnd(answer instanceof Error ? answer : timedDecode(answer)),
      ),
  };
}
