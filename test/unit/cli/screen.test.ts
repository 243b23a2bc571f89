import { describe, expect, test } from 'vitest';
import { createScreen } from '../../../src/cli/screen.ts';
import { fakeTerminal } from './cli-fixtures.ts';

const written = (terminal: { text: string }): string => {
  const { text } = terminal;
  terminal.text = '';
  return text;
};

describe('screen', () => {
  test('sends a line again only when it changed', () => {
    const terminal = fakeTerminal(true);
    const screen = createScreen(terminal);
    screen.draw(['alpha', 'beta', 'gamma']);
    expect(written(terminal)).toBe('\u001b[?25l\u001b[?7l\ralpha\u001b[K\r\n\rbeta\u001b[K\r\n\rgamma\u001b[K\r\n\u001b[?7h');
    screen.draw(['alpha', 'BETA', 'gamma']);
    expect(written(terminal)).toBe('\u001b[?7l\u001b[3A\r\n\rBETA\u001b[K\r\n\r\n\u001b[?7h');
  });

  test('erases what a shorter frame leaves behind', () => {
    const terminal = fakeTerminal(true);
    const screen = createScreen(terminal);
    screen.draw(['a', 'b', 'c']);
    written(terminal);
    screen.draw(['a']);
    expect(written(terminal)).toBe('\u001b[?7l\u001b[3A\r\n\u001b[J\u001b[?7h');
  });

  test('draws everything again after a resize, from above the rows that a narrower terminal made of our lines', () => {
    const terminal = fakeTerminal(true, 80, 24);
    const screen = createScreen(terminal);
    screen.draw(['x'.repeat(60), `\u001b[31m${'y'.repeat(20)}\u001b[0m`]);
    written(terminal);
    terminal.resize(40, 24);
    expect(written(terminal)).toBe(`\r\u001b[3A${'\u001b[2K\u001b[1B'.repeat(3)}\u001b[3A`);
    screen.draw(['z']);
    expect(written(terminal)).toContain('z');
  });

  test('does not erase the last cell of a line that fills the row', () => {
    const terminal = fakeTerminal(true, 5, 24);
    createScreen(terminal).draw(['\u001b[2mabcd…\u001b[0m', 'ab']);
    expect(terminal.text).toContain('abcd…\u001b[0m\r\n\rab\u001b[K\r\n');
  });

  test('takes its block away again', () => {
    const terminal = fakeTerminal(true);
    const screen = createScreen(terminal);
    screen.draw(['a', 'b']);
    written(terminal);
    screen.erase();
    screen.erase();
    expect(written(terminal)).toBe(`\r\u001b[2A${'\u001b[2K\u001b[1B'.repeat(2)}\u001b[2A`);
  });

  test('leaves a frame out while the terminal is behind', () => {
    const terminal = fakeTerminal(true);
    const screen = createScreen(terminal);
    terminal.isFull = true;
    screen.draw(['a']);
    expect(terminal.text).toBe('');
  });

  test('gives the cursor back once, and only if it took it', () => {
    const untouched = fakeTerminal(true);
    createScreen(untouched).close();
    expect(untouched.text).toBe('');
    const terminal = fakeTerminal(true);
    const screen = createScreen(terminal);
    screen.draw(['a']);
    screen.close();
    screen.close();
    screen.draw(['b']);
    expect(terminal.text.endsWith('\u001b[?7h\u001b[?25h')).toBe(true);
    expect(terminal.text.split('\u001b[?25h')).toHaveLength(2);
  });
});
