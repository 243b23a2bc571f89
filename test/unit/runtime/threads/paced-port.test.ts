import { describe, expect, it } from 'vitest';
import { PacedPort, type ThreadPort } from '../../../../src/runtime/threads/paced-port.ts';

/** Two ends of a channel: what is posted lies there until the test lets it arrive. */
function createChannel() {
  const ends = [0, 1].map(() => ({ arriving: [] as unknown[], hear: (_message: unknown): void => undefined }));
  const portOf = (own: number): ThreadPort => ({
    postMessage: (message) => ends[1 - own]?.arriving.push(structuredClone(message)),
    on: (_event, listener) => {
      const end = ends[own];
      if (end !== undefined) end.hear = listener;
    },
  });
  /** Lets what lies before an end arrive, as one turn of its event loop would; how much it was. */
  const arrive = (own: number): number => {
    const end = ends[own];
    const messages = end?.arriving.splice(0) ?? [];
    for (const message of messages) end?.hear(message);
    return messages.length;
  };
  return { portOf, arrive };
}

function setUp() {
  const { portOf, arrive } = createChannel();
  const heard: number[] = [];
  const told: string[] = [];
  const sender = new PacedPort<number, string>(portOf(0), { windowMax: 8, heardMax: 4 }, (message) => told.push(message));
  const receiver = new PacedPort<string, number>(portOf(1), { windowMax: 4, heardMax: 8 }, (message) => heard.push(message));
  return { sender, receiver, heard, told, arrive };
}

describe('a paced port', () => {
  it('lets no more than its window arrive at once, and everything in order in the end', () => {
    const { sender, heard, arrive } = setUp();
    for (let index = 0; index < 100; index += 1) sender.send(index);
    const turns: number[] = [];
    for (let count = arrive(1); count > 0; count = arrive(1)) {
      turns.push(count);
      arrive(0);
    }
    expect(Math.max(...turns)).toBe(8);
    expect(heard).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('keeps what a full window has no place for until some of it was taken', () => {
    const { sender, heard, arrive } = setUp();
    for (let index = 0; index < 9; index += 1) sender.send(index);
    arrive(1);
    expect(heard).toHaveLength(8);
    expect(arrive(1)).toBe(0);
    arrive(0);
    expect(arrive(1)).toBe(1);
  });

  it('goes both ways, each at its own pace', () => {
    const { sender, receiver, told, arrive } = setUp();
    for (let index = 0; index < 6; index += 1) receiver.send(`answer ${index}`);
    sender.send(1);
    expect(arrive(0)).toBe(4);
    expect(told).toHaveLength(4);
    arrive(1);
    arrive(0);
    expect(told).toHaveLength(6);
  });
});
