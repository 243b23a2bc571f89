import { Observable, Subscriber } from 'rxjs';
import type { Frame, SourceId } from '../core/frame.ts';
import type { RejectReason } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { EdgeGuard } from '../sources/edge-guard.ts';
import type { Source, SourceEvent, SourceState } from '../sources/source.ts';
import type { IncidentKind, IncidentLog } from '../telemetry/incident-log.ts';
import type { SourceBook } from '../telemetry/source-meter.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface IntakeDeps {
  readonly guard: EdgeGuard;
  /** The pipelines that read this source. */
  readonly readers: readonly Pipeline[];
  readonly telemetry: Pick<Telemetry, 'ledger' | 'sources' | 'incidents'>;
  readonly release: (region: Region) => void;
}

const INCIDENT_OF_STATE: Readonly<Partial<Record<SourceState, IncidentKind>>> = {
  stalled: 'source-stalled',
  restarting: 'source-restarting',
  live: 'source-live',
  ended: 'source-ended',
};

/**
 * Past the guard and on to every reader. The intake holds the claim that comes with a frame while the readers make theirs. The first refusal for each
 * reason is told as an incident; all of them are counted, once at the source and once for each reader that lost a frame by it. Nothing is emitted: it goes on as
 * long as somebody is subscribed, and completes with the source. All frames of a run come through here, so there is nothing between a source and its readers.
 */
export const takeIn = (source: Source, deps: IntakeDeps): Observable<never> =>
  new Observable((subscriber) => source.events.subscribe(new Intake(source.id, deps, subscriber)));

/** A subscriber itself, so that nothing of rxjs stands between it and the source but what every source calls. */
class Intake extends Subscriber<SourceEvent> {
  readonly #source: SourceId;
  readonly #guard: EdgeGuard;
  readonly #readers: readonly Pipeline[];
  /** At hand, since mostly there is no other. */
  readonly #onlyReader: Pipeline | undefined;
  readonly #telemetry: IntakeDeps['telemetry'];
  readonly #release: (region: Region) => void;
  readonly #book: SourceBook;
  readonly #told = new Set<RejectReason>();

  constructor(source: SourceId, deps: IntakeDeps, subscriber: Subscriber<never>) {
    super(subscriber);
    this.#source = source;
    this.#guard = deps.guard;
    this.#readers = deps.readers;
    this.#onlyReader = deps.readers.length === 1 ? deps.readers[0] : undefined;
    this.#telemetry = deps.telemetry;
    this.#release = deps.release;
    this.#book = deps.telemetry.sources.bookOf(source);
  }

  protected override _next(event: SourceEvent): void {
    try {
      this.#handle(this.#guard.admit(event));
    } catch (error) {
      this.error(error);
    }
  }

  #handle(event: SourceEvent): void {
    switch (event.kind) {
      case 'frame':
        this.#book.frame();
        return this.#pass(event.frame);
      case 'rejected':
        this.#book.rejected(event.reason);
        return this.#refuse(event.reason, event.message);
      case 'state':
        if (event.state === 'ended' || event.state === 'stalled') for (const reader of this.#readers) reader.flush();
        this.#book.state(event.state);
        return tellState(this.#source, event.state, event.message, this.#telemetry.incidents);
    }
  }

  #pass(frame: Frame): void {
    if (this.#onlyReader !== undefined) this.#onlyReader.accept(frame);
    else for (const reader of this.#readers) reader.accept(frame);
    if (frame.payload.kind === 'image') this.#release(frame.payload.region);
  }

  #refuse(reason: RejectReason, why: string): void {
    const source = this.#source;
    const { ledger, incidents } = this.#telemetry;
    for (const reader of this.#readers) ledger.refused(reader.stream.id, reason);
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    incidents.add({ kind: 'warning', source, message: `input of "${source}" refused (${reason}): ${why}` });
  }
}

function tellState(source: SourceId, state: SourceState, message: string, incidents: IncidentLog): void {
  const kind = INCIDENT_OF_STATE[state];
  if (kind !== undefined) incidents.add({ kind, source, message: message || `source "${source}" is ${state}` });
}
