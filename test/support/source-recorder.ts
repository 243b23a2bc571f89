import type { Subscription } from 'rxjs';
import type { Frame } from '../../src/core/frame.ts';
import type { FrameMemory, Source, SourceEvent } from '../../src/sources/source.ts';

export interface SourceRecorder {
  readonly events: readonly SourceEvent[];
  readonly frames: readonly Frame[];
  /** `live`, `stalled` ... in order. */
  readonly states: readonly string[];
  /** Reasons of what was turned away, in order. */
  readonly rejections: readonly string[];
  /** The newest state's message. */
  readonly message: string;
  readonly isComplete: boolean;
  stop(): void;
}

/** Listens to a source, gives back each image's region at once when `memory` is given, and keeps the story. */
export function recordSource(source: Source, memory?: FrameMemory, onEvent?: (event: SourceEvent) => void): SourceRecorder {
  const events: SourceEvent[] = [];
  let isComplete = false;
  const subscription: Subscription = source.events.subscribe({
    next(event) {
      events.push(event);
      onEvent?.(event);
      if (event.kind === 'frame' && event.frame.payload.kind === 'image') memory?.release(event.frame.payload.region);
    },
    complete() {
      isComplete = true;
    },
  });
  return {
    events,
    get frames() {
      return events.flatMap((event) => (event.kind === 'frame' ? [event.frame] : []));
    },
    get states() {
      return events.flatMap((event) => (event.kind === 'state' ? [event.state] : []));
    },
    get rejections() {
      return events.flatMap((event) => (event.kind === 'rejected' ? [event.reason] : []));
    },
    get message() {
      return events.findLast((event) => event.kind === 'state')?.message ?? '';
    },
    get isComplete() {
      return isComplete;
    },
    stop: () => subscription.unsubscribe(),
  };
}
