import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/core/arena.ts';
import type { Decision } from '../../../src/core/decision.ts';
import type { Event } from '../../../src/core/event.ts';
import type { JobId } from '../../../src/core/job.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { Segment, SegmentEnd } from '../../../src/core/segment.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { instantUs } from '../../../src/core/units.ts';
import type { Device } from '../../../src/devices/device.ts';
import { Dispatcher } from '../../../src/runtime/dispatcher.ts';

const AT = instantUs(0);
const KILL_AT = instantUs(1_000_000);
const start = (job: JobId, from: number, steps: number): Decision => ({
  kind: 'start',
  core: 0,
  job,
  killAt: KILL_AT,
  segment: { from, steps },
});
const end = (job: JobId, outcome: Outcome): Decision => ({ kind: 'end', job, outcome });
const left: SegmentEnd = { kind: 'done', startedAt: AT, endedAt: AT, progress: { steps: 1, isLast: false } };
const whole: SegmentEnd = { kind: 'done', startedAt: AT, endedAt: AT };

/** A dispatcher that is told what to decide, before a device that does what it is told to. */
function rig(decide: (event: Event) => readonly Decision[]) {
  const clock = new SimClock();
  const segments: Segment[] = [];
  const forgotten: JobId[] = [];
  let onEnd: (end: SegmentEnd) => void = () => undefined;
  const device = {
    run: (_core: number, segment: Segment, told: (end: SegmentEnd) => void) => {
      segments.push(segment);
      onEnd = told;
    },
    forget: (job: JobId) => forgotten.push(job),
  } as unknown as Device;
  const nothing = (): void => undefined;
  const observer = {
    ...{ decided: nothing, segmentStarted: nothing, segmentEnded: nothing, interrupted: nothing },
    ...{ decodeFailed: nothing, servedWith: nothing, ended: nothing },
  };
  const model = { id: 'm', outputs: [] };
  const models = new Map([['m', model]]) as never;
  const dispatcher = new Dispatcher({ clock, device, arena: new Arena(4096), models, step: decide, observer });
  const submit = (id: JobId): void => {
    const job = { id, stream: 's', model: 'm', capturedAt: AT, deadlineAt: KILL_AT };
    dispatcher.submit({ job, inputs: [], decode: (_, listener) => listener.decoded([]), settle: nothing });
  };
  return { submit, segments, forgotten, end: (told: SegmentEnd) => onEnd(told) };
}

describe('a job that was left between two blocks', () => {
  it('is told to the device when it ends before it goes on, and its segments say where they begin', () => {
    const {
      submit,
      segments,
      forgotten,
      end: ends,
    } = rig((event) => {
      if (event.kind === 'arrived') return [start(event.job.id, 0, 4)];
      return event.kind === 'segment-done' ? [end(event.job, { kind: 'dropped', reason: 'superseded' })] : [];
    });
    submit(7);
    ends(left);
    expect(segments).toMatchObject([{ job: 7, from: 0, steps: 4, model: 'm' }]);
    expect(forgotten).toEqual([7]);
  });

  it('is not, once it has run to its end', () => {
    let isFirst = true;
    const {
      submit,
      segments,
      forgotten,
      end: ends,
    } = rig((event) => {
      if (event.kind === 'arrived') return [start(event.job.id, 0, 4)];
      if (event.kind === 'decoded') return [end(event.job, { kind: 'done' })];
      if (event.kind !== 'segment-done' || !isFirst) return [];
      isFirst = false;
      return [start(event.job, 1, 3)];
    });
    submit(8);
    ends(left);
    ends(whole);
    expect(segments.map(({ from, steps }) => [from, steps])).toEqual([
      [0, 4],
      [1, 3],
    ]);
    expect(forgotten).toEqual([]);
  });
});
