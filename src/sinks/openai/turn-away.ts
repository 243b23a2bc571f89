import type { Socket } from 'node:net';
import { after, type Clock } from '../../core/clock.ts';
import { type DurationUs, durationUs } from '../../core/units.ts';
import { rawError } from './send.ts';
import { crowded } from './wire-error.ts';

/** For the client to read the answer; then the connection is closed whatever it does. */
const LINGER_US = durationUs(2_000_000);
/** Where this process was held up, timers come before what has arrived meanwhile: that is looked at first. */
const LAST_LOOK_US = durationUs(100_000);

const ANSWER = rawError(crowded('There are too many connections.'), 'Too Many Requests');

/** Answers whatever comes over the connection with 429. What is sent is read and thrown away: closing over unread bytes would take the answer from the client. */
export function turnAway(socket: Socket, askWithinUs: DurationUs, clock: Clock): void {
  const close = (): void => {
    timeout = after(clock, LAST_LOOK_US, () => socket.destroy());
  };
  let timeout = after(clock, askWithinUs, close);
  socket.once('close', () => timeout.cancel());
  // Lost connections need no word.
  socket.on('error', () => socket.destroy());
  // Clients take an answer only for something that they have asked.
  socket.once('data', () => {
    timeout.cancel();
    timeout = after(clock, LINGER_US, close);
    socket.end(ANSWER);
  });
  socket.on('end', () => socket.end());
  socket.resume();
}
