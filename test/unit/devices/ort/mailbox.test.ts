import { expect, it } from 'vitest';
import { durationUs, instantUs } from '../../../../src/core/units.ts';
import { createMailbox, MAILBOX_BYTES } from '../../../../src/devices/ort/mailbox.ts';
import { createSharedMemory, mapSharedMemory } from '../../../../src/native/shared-memory.ts';

const NOW = durationUs(0);

/** Both ends, through two mappings as in two processes. */
function createEnds() {
  const memory = createSharedMemory(MAILBOX_BYTES);
  return { writer: createMailbox(memory), reader: createMailbox(mapSharedMemory(memory.fd, MAILBOX_BYTES)) };
}

it('hands each text over once, in order', () => {
  const { writer, reader } = createEnds();
  expect(reader.take(NOW)).toBeUndefined();
  for (const text of ['one', '{"two": 2}', '', 'drei – größer', 'x']) {
    expect(writer.post(text)).toBe(true);
    expect(reader.take(NOW)).toBe(text);
    expect(reader.take(NOW)).toBeUndefined();
  }
});

it('takes a text that fills it, counted in bytes, and refuses one byte more without disturbing the reader', () => {
  const { writer, reader } = createEnds();
  const room = MAILBOX_BYTES - 64;
  expect(writer.post('x'.repeat(room))).toBe(true);
  expect(reader.take(NOW)).toHaveLength(room);
  expect(writer.post('x'.repeat(room + 1))).toBe(false);
  expect(writer.post('ä'.repeat(room / 2 + 1))).toBe(false);
  expect(reader.take(NOW)).toBeUndefined();
  expect(writer.post('ä'.repeat(room / 2))).toBe(true);
  expect(reader.take(NOW)).toBe('ä'.repeat(room / 2));
});

it('shows a text posted before the reader looked, even if the reader came late', () => {
  const { writer, reader } = createEnds();
  writer.post('early');
  expect(reader.take(durationUs(60_000_000))).toBe('early');
});

it('carries the instants of a run back to the microsecond', () => {
  const { writer, reader } = createEnds();
  const startedAt = instantUs(2 ** 52 + 1);
  reader.stamp(startedAt, instantUs(2 ** 52 + 3));
  writer.post('the next command');
  expect(writer.stamps()).toEqual({ startedAt, endedAt: 2 ** 52 + 3 });
});
