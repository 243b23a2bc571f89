import { Observable } from 'rxjs';
import type { Frame, SourceId } from '../core/frame.ts';
import type { RejectReason } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { EdgeGuard } from '../sources/edge-guard.ts';
import type { Source, SourceEvent, SourceState } from '../sources/source.ts';
import type { IncidentKind } from '../telemetry/incident-log.ts';
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
export function takeIn(source: Source, deps: IntakeDeps): Observable<never> {
  const { guard, readers, telemetry } = deps;
  const told = new Set<RejectReason>();
  const handle = (event: SourceEvent): void => {
    switch (event.kind) {
      case 'frame':
        telemetry.sources.frame(source.id);
        return pass(event.frame, readers, deps.release);
      case 'rejected':
        telemetry.sources.rejected(source.id, event.reason);
        for (const reader of readers) telemetry.ledger.refused(reader.stream.id, event.reason);
        if (told.has(event.reason)) return;
        told.add(event.reason);
        telemetry.incidents.add({
          kind: 'warning',
          source: source.id,
          message: `input of "${source.id}" refused (${event.reason}): ${event.message}`,
        });
        return;
      case 'state':
        if (event.state === 'ended' || event.state === 'stalled') for (const reader of readers) reader.flush();
        return tellState(source.id, event.state, event.message, telemetry);
    }
  };
  return new Observable((subscriber) => {
    told.clear();
    return source.events.subscribe({
      next(event) {
        try {
          handle(guard.admit(event));
        } catch (error) {
          subscriber.error(error);
        }
      },
      error: (error) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
  });
}

function pass(frame: Frame, readers: readonly Pipeline[], release: (region: Region) => void): void {
  for (const reader of readers) reader.accept(frame);
  if (frame.payload.kind === 'image') release(frame.payload.region);
}

function tellState(source: SourceId, state: SourceState, message: string, telemetry: IntakeDeps['telemetry']): void {
  telemetry.sources.state(source, state);
  const kind = INCIDENT_OF_STATE[state];
  if (kind !== undefined) telemetry.incidents.add({ kind, source, message: message || `source "${source}" is ${state}` });
}
