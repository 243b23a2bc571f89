import { describe, expect, it } from 'vitest';
import { createStopScanner } from '../../../../src/models/language/stop-strings.ts';

describe('a scanner for stop strings', () => {
  it('holds back what may be the beginning of one, and gives it when it is not', () => {
    const scanner = createStopScanner(['END']);
    expect(scanner.push('a E')).toBe('a ');
    expect(scanner.push('N')).toBe('');
    expect(scanner.push('x')).toBe('ENx');
    expect(scanner.found).toBeUndefined();
  });

  it('cuts before one that comes in pieces, and shows nothing afterwards', () => {
    const scanner = createStopScanner(['END']);
    expect(['one E', 'N', 'D two', ' three'].map((piece) => scanner.push(piece))).toEqual(['one ', '', '', '']);
    expect(scanner.found).toBe('END');
    expect(scanner.end()).toBe('');
  });

  it('gives what was held back when nothing more comes', () => {
    const scanner = createStopScanner(['END']);
    expect(scanner.push('EN')).toBe('');
    expect(scanner.end()).toBe('EN');
  });

  it('lets the one win that is complete first, of two at once the longer', () => {
    const sooner = createStopScanner(['abcd', 'bc']);
    expect(sooner.push('xabcd')).toBe('xa');
    expect(sooner.found).toBe('bc');
    const longer = createStopScanner(['c', 'bc']);
    expect(longer.push('abc')).toBe('a');
    expect(longer.found).toBe('bc');
  });

  it.each([[Array.from({ length: 17 }, (_, index) => `stop ${index}`)], [['']], [['x'.repeat(501)]]])('refuses %j', (stops) => {
    expect(() => createStopScanner(stops)).toThrow(/stop string/u);
  });
});
