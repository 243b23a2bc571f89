import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import { after } from '../../core/clock.ts';
import { CoxswainError } from '../../core/errors.ts';
import { createSystemClock } from '../../core/system-clock.ts';
import { durationFromMs } from '../../core/units.ts';
import { createOpenAiServer, type OpenAiServer } from '../../sinks/openai/openai-server.ts';
import { PacedPort, type ThreadPort } from '../threads/paced-port.ts';
import { BEAT_MS, BEATS_MISSED_MAX, type FromHttp, HTTP_WINDOWS, type HttpInit, type ToHttp } from './http-protocol.ts';
import { RemoteModels } from './remote-models.ts';

/** Entry of the thread in which clients are listened to: connections, parsing, limits and slow readers are its business, and what is asked goes to the main loop. */
async function main(parent: ThreadPort, { settings, models }: HttpInit): Promise<void> {
  const clock = createSystemClock();
  let isReady = false;
  /** The main loop has not been heard of for so many beats. */
  let missed = 0;
  let server: OpenAiServer | undefined;
  const port = new PacedPort<FromHttp, ToHttp>(parent, HTTP_WINDOWS, (message) => hear(message));
  const remote = new RemoteModels((message) => port.send(message));

  const hear = (message: ToHttp): void => {
    switch (message.kind) {
      case 'beat':
        missed = 0;
        isReady = message.isReady;
        return port.send({ kind: 'beat' });
      case 'drain':
        return void server?.drain(message.within).then((isIdle) => port.send({ kind: 'drained', isIdle }));
      case 'close':
        return void (server?.close() ?? Promise.resolve()).then(() => port.send({ kind: 'closed' }));
      default:
        return remote.hear(message);
    }
  };

  const miss = (): void => {
    missed += 1;
    after(clock, durationFromMs(BEAT_MS), miss);
  };
  miss();
  try {
    server = await createOpenAiServer(settings, {
      clock,
      models: models.map((listed) => remote.serve(listed)),
      isReady: () => isReady && missed < BEATS_MISSED_MAX,
      onTrouble: (message) => port.send({ kind: 'trouble', message }),
    });
    port.send({ kind: 'listening', url: server.url, port: Number(new URL(server.url).port) });
  } catch (thrown) {
    if (!(thrown instanceof CoxswainError)) throw thrown;
    port.send({ kind: 'unavailable', code: thrown.code, message: thrown.message });
  }
}

assert(parentPort !== null, 'the HTTP server runs as a worker thread');
await main(parentPort, workerData as HttpInit);
