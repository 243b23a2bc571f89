import { describe, expect, it } from 'vitest';
import { mergeOverlaps, overlapRatio, type ScoredBox, suppressOverlaps } from '../../../../src/models/perception/box-suppression.ts';

const box = (left: number, top: number, right: number, bottom: number, score: number, classIndex = 0): ScoredBox => ({
  left,
  top,
  right,
  bottom,
  score,
  classIndex,
});

describe('overlapRatio', () => {
  it('divides what is shared by what is covered', () => {
    expect(overlapRatio(box(0, 0, 2, 2, 1), box(1, 1, 3, 3, 1))).toBeCloseTo(1 / 7, 12);
    expect(overlapRatio(box(0, 0, 2, 2, 1), box(0, 0, 2, 2, 1))).toBe(1);
    expect(overlapRatio(box(0, 0, 2, 2, 1), box(2, 0, 4, 2, 1))).toBe(0);
  });
});

describe('suppressOverlaps', () => {
  it('lets a suppressed box suppress nobody', () => {
    const a = box(0, 0, 10, 10, 0.9);
    const b = box(4, 0, 14, 10, 0.8);
    const c = box(8, 0, 18, 10, 0.7);
    expect(suppressOverlaps([c, b, a], 0.3, 10)).toEqual([a, c]);
  });

  it('keeps the earlier of two equal boxes and stops at its bound', () => {
    const a = box(0, 0, 10, 10, 0.5);
    const twin = { ...a };
    const kept = suppressOverlaps([a, twin, box(20, 0, 30, 10, 0.4), box(40, 0, 50, 10, 0.3)], 0.5, 2);
    expect(kept[0]).toBe(a);
    expect(kept.map(({ left }) => left)).toEqual([0, 20]);
  });
});

describe('mergeOverlaps', () => {
  it('hands each group over best first and everybody to one group only', () => {
    const boxes = [box(1, 0, 11, 10, 0.6), box(0, 0, 10, 10, 0.9), box(50, 0, 60, 10, 0.7), box(2, 0, 12, 10, 0.5)];
    const groups: number[][] = [];
    mergeOverlaps(boxes, 0.3, 10, (group) => {
      groups.push(group.map(({ score }) => score));
      return group[0] as ScoredBox;
    });
    expect(groups).toEqual([[0.9, 0.6, 0.5], [0.7]]);
  });
});
