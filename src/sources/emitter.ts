import { Observable, type Subscriber } from 'rxjs';
import type { CoxswainError } from '../core/errors.ts';
import type { Payload, SourceId } from '../core/frame.ts';
import type { RejectReason } from '../core/outcome.ts';
import type { InstantUs } from '../core/units.ts';
import type { Source, SourceEvent, SourceState } from './source.ts';

/** What an adapter says while somebody listens. Calls after the end do nothing, so a payload's region must be checked against `isClosed` first. */
export interface SourceEmitter {
  readonly isClosed: boolean;
  /** Hands the payload's claim over with the frame. */
  frame(capturedAt: InstantUs, payload: Payload): void;
  reject(reason: RejectReason, message: string): void;
  /** Says a state once, until another takes its place. */
  state(state: Exclude<SourceState, 'ended'>, message: string): void;
  /** The last word. */
  end(message: string, error?: CoxswainError): void;
}

/** A source from `run`, which starts when somebody subscribes and returns how to stop. Sequence numbers go on across subscriptions. */
export function createEmittingSource(id: SourceId, run: (emit: SourceEmitter) => () => void): Source {
  let sequence = 0;
  const events = new Observable<SourceEvent>((subscriber) => {
    const emitter = new Emitter(id, sequence, subscriber);
    const stop = run(emitter);
    return () => {
      sequence = emitter.sequence;
      stop();
    };
  });
  return { id, events };
}

class Emitter implements SourceEmitter {
  /** Of the next frame. */
  sequence: number;
  readonly #id: SourceId;
  readonly #subscriber: Subscriber<SourceEvent>;
  #state: SourceState | undefined;

  constructor(id: SourceId, sequence: number, subscriber: Subscriber<SourceEvent>) {
    this.#id = id;
    this.sequence = sequence;
    this.#subscriber = subscriber;
  }

  get isClosed(): boolean {
    return this.#subscriber.closed;
  }

  frame(capturedAt: InstantUs, payload: Payload): void {
    const { sequence } = this;
    this.sequence = sequence + 1;
    this.#subscriber.next({ kind: 'frame', frame: { source: this.#id, sequence, capturedAt, payload } });
  }

  reject(reason: RejectReason, message: string): void {
    this.#subscriber.next({ kind: 'rejected', reason, message });
  }

  state(state: Exclude<SourceState, 'ended'>, message: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#subscriber.next({ kind: 'state', state, message });
  }

  end(message: string, error?: CoxswainError): void {
    this.#subscriber.next({ kind: 'state', state: 'ended', message, ...(error === undefined ? {} : { error }) });
    this.#subscriber.complete();
  }
}
