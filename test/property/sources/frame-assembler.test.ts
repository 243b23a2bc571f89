import fc from 'fast-check';
import { expect, it } from 'vitest';
import { instantUs } from '../../../src/core/units.ts';
import { createFrameAssembler } from '../../../src/sources/frame-assembler.ts';
import { CountedFrameMemory } from '../../support/counted-frame-memory.ts';

/** Cuts `bytes` where `cuts` say. */
function chunksOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
}

it('gives the same frames however the pipe was cut, and frees what it does not give', () => {
  const pipe = fc.uint8Array({ minLength: 0, maxLength: 400 });
  fc.assert(
    fc.property(pipe, fc.array(fc.nat(), { maxLength: 30 }), fc.integer({ min: 1, max: 50 }), (bytes, cuts, frameBytes) => {
      const memory = new CountedFrameMemory();
      const frames: Uint8Array[] = [];
      const instants: number[] = [];
      const assembler = createFrameAssembler(frameBytes, memory, {
        frame(region, capturedAt) {
          frames.push(memory.bytes(region).slice());
          instants.push(capturedAt);
          memory.release(region);
        },
        noMemory: () => expect.unreachable(),
      });
      let completions = 0;
      for (const [index, chunk] of chunksOf(bytes, cuts).entries()) {
        const before = frames.length;
        const hasCompleted = assembler.push(chunk, instantUs(index));
        expect(hasCompleted).toBe(frames.length > before);
        completions += frames.length - before;
      }
      expect(completions).toBe(Math.floor(bytes.length / frameBytes));
      for (const [index, frame] of frames.entries()) expect(frame).toEqual(bytes.slice(index * frameBytes, (index + 1) * frameBytes));
      expect(instants).toEqual([...instants].sort((a, b) => a - b));
      expect(assembler.abort()).toBe(bytes.length % frameBytes > 0);
      expect(memory.liveRegions).toBe(0);
    }),
    { numRuns: 500 },
  );
});

it('keeps its place in the pipe while memory comes and goes', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (hasMemory, frameBytes) => {
      const memory = new CountedFrameMemory();
      const kept: number[] = [];
      let skipped = 0;
      const assembler = createFrameAssembler(frameBytes, memory, {
        frame(region) {
          const bytes = memory.bytes(region);
          expect(new Set(bytes).size).toBe(1);
          kept.push(bytes[0] ?? -1);
          memory.release(region);
        },
        noMemory() {
          skipped += 1;
        },
      });
      for (const [index, isThere] of hasMemory.entries()) {
        memory.bytesMax = isThere ? frameBytes : 0;
        for (let byte = 0; byte < frameBytes; byte += 1) assembler.push(Uint8Array.of(index), instantUs(index));
      }
      expect(kept).toEqual(hasMemory.flatMap((isThere, index) => (isThere ? [index] : [])));
      expect(skipped).toBe(hasMemory.filter((isThere) => !isThere).length);
    }),
  );
});
