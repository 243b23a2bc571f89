import { assert } from '../../core/assert.ts';
import { Ring } from '../../core/ring.ts';

/** One end of a channel between two threads: a Worker, or the port inside of it. */
export interface ThreadPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

type Envelope = { readonly kind: 'message'; readonly body: unknown } | { readonly kind: 'taken'; readonly count: number };

/** The other end hears of what was taken this often in a window. */
const TELLS = 4;

/**
 * Messages between two threads, each way at most `windowMax` at once: what is more waits at its sender until the other end has dealt with some. So nobody finds more in one turn of
 * the event loop than a window holds, however fast the other end is, and no queue grows where nobody sees it.
 */
export class PacedPort<Out, In> {
  readonly #port: ThreadPort;
  readonly #windowMax: number;
  readonly #waiting = new Ring<Out>();
  #onItsWay = 0;

  /** `windowMax`: of what is sent from here, a multiple of 4; `heardMax`: of what comes, the `windowMax` of the other end. */
  constructor(port: ThreadPort, windows: { readonly windowMax: number; readonly heardMax: number }, onMessage: (message: In) => void) {
    assert(windows.windowMax % TELLS === 0 && windows.heardMax % TELLS === 0, 'a window is told of in quarters');
    this.#port = port;
    this.#windowMax = windows.windowMax;
    let taken = 0;
    port.on('message', (message) => {
      const envelope = message as Envelope;
      if (envelope.kind === 'taken') {
        this.#onItsWay -= envelope.count;
        this.#advance();
        return;
      }
      onMessage(envelope.body as In);
      taken += 1;
      if (taken < windows.heardMax / TELLS) return;
      port.postMessage({ kind: 'taken', count: taken } satisfies Envelope);
      taken = 0;
    });
  }

  /** In order. Errors: those of cloning what cannot be cloned, when its turn comes. */
  send(message: Out): void {
    this.#waiting.pushBack(message);
    this.#advance();
  }

  #advance(): void {
    while (this.#onItsWay < this.#windowMax) {
      const body = this.#waiting.popFront();
      if (body === undefined) return;
      this.#onItsWay += 1;
      this.#port.postMessage({ kind: 'message', body } satisfies Envelope);
    }
  }
}
