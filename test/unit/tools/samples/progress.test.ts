import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress } from '../../../../tools/samples/progress.ts';
import type { SamplePackage } from '../../../../tools/samples/sample-list.ts';

const entry = (name: string, bytes: number): SamplePackage => ({ name, version: '1.0.0', integrity: '', bytes, files: [] });
const FIRST = entry('first', 30_000_000);
const SECOND = entry('second', 10_000_000);

function watched(isTerminal: boolean, width = 200) {
  const written: string[] = [];
  let nowMs = 0;
  const progress = createProgress({ write: (text) => written.push(text), isTerminal, width, nowMs: () => nowMs });
  const advance = (durationMs: number) => {
    nowMs += durationMs;
    vi.advanceTimersByTime(durationMs);
  };
  return { written, progress, advance };
}

describe('progress', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('writes a plain line a package where nobody watches', () => {
    const { written, progress, advance } = watched(false);
    progress.plan([FIRST, SECOND]);
    for (const each of [FIRST, SECOND]) {
      progress.begin(each);
      advance(5_000);
      progress.finish(each);
    }
    progress.note('converting x');
    progress.end();
    expect(written).toEqual([
      'samples: 2 packages, 40.0 MB; npm fetches what is not here yet\n',
      'samples: 1/2 first@1.0.0 (30.0 MB)\n',
      'samples: 2/2 second@1.0.0 (10.0 MB)\n',
      'samples: converting x\n',
    ]);
  });

  it('redraws one line on a terminal, counting finished bytes and the seconds of the present package', () => {
    const { written, progress, advance } = watched(true);
    progress.plan([FIRST, SECOND]);
    progress.begin(FIRST);
    progress.finish(FIRST);
    progress.begin(SECOND);
    advance(3_250);
    expect(written.at(-1)).toBe('\r\u001b[2Ksamples [###############.....] 1/2, 30.0 MB of 40.0 MB second (10.0 MB), 3 s');
    progress.end();
    expect(written.at(-1)).toBe('\r\u001b[2K');
    const count = written.length;
    advance(10_000);
    expect(written).toHaveLength(count);
  });

  it('never draws a line wider than the terminal', () => {
    const { written, progress, advance } = watched(true, 20);
    progress.plan([FIRST]);
    progress.begin(FIRST);
    advance(1_000);
    expect(written.at(-1)?.slice('\r\u001b[2K'.length)).toHaveLength(19);
    progress.end();
  });

  it('says nothing when nothing is needed', () => {
    const { written, progress } = watched(true);
    progress.plan([]);
    progress.end();
    expect(written).toEqual([]);
  });
});
