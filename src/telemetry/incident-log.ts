import type { Clock } from '../core/clock.ts';
import type { SourceId } from '../core/frame.ts';
import type { CoreId } from '../core/job.ts';
import type { StreamId } from '../core/stream.ts';
import { elapsedUs, type InstantUs, msFromDuration } from '../core/units.ts';

export const INCIDENT_KINDS = [
  'core-lost',
  'core-back',
  'core-quarantined',
  'core-start-failed',
  'mode',
  'model-refused',
  'source-stalled',
  'source-restarting',
  'source-live',
  'source-ended',
  'worker-lost',
  'broker-lost',
  'broker-back',
  'log-lost',
  'warning',
  'stopping',
  'variant',
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** Something that a person who watches the run wants to know. `message` may quote the outside: escape it before it reaches a terminal. */
export interface Incident {
  readonly at: InstantUs;
  /** Since the start of the run. */
  readonly atMs: number;
  /** Milliseconds since 1970-01-01 UTC; a label. */
  readonly wallMs: number;
  readonly kind: IncidentKind;
  readonly core?: CoreId;
  readonly source?: SourceId;
  readonly stream?: StreamId;
  readonly message: string;
}

type IncidentDetails = Omit<Incident, 'at' | 'atMs' | 'wallMs'>;

export interface IncidentLogOptions {
  /** The newest that are kept; older ones are only counted. Default 256. */
  readonly incidentsMax?: number;
  /** Longer messages are cut, with an ellipsis. Default 1 000 characters. */
  readonly messageMax?: number;
}

export interface IncidentLog {
  add(details: IncidentDetails): Incident;
  /** Calls the listener inside each `add` that follows. Returns the way out. */
  onIncident(listener: (incident: Incident) => void): () => void;
  /** Oldest first. */
  latest(): readonly Incident[];
  /** How many were forgotten because the ring was full. */
  readonly omitted: number;
}

export function createIncidentLog(startedAt: InstantUs, clock: Clock, options: IncidentLogOptions = {}): IncidentLog {
  const incidentsMax = options.incidentsMax ?? 256;
  const messageMax = options.messageMax ?? 1000;
  const listeners = new Set<(incident: Incident) => void>();
  const ring: Incident[] = [];
  let omitted = 0;
  return {
    add(details) {
      const at = clock.now();
      const message = details.message.length > messageMax ? `${details.message.slice(0, messageMax - 1)}…` : details.message;
      const incident: Incident = { ...details, message, at, atMs: msFromDuration(elapsedUs(startedAt, at)), wallMs: clock.wallMs() };
      ring.push(incident);
      if (ring.length > incidentsMax) {
        ring.shift();
        omitted += 1;
      }
      for (const listener of [...listeners]) listener(incident);
      return incident;
    },
    onIncident(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    latest: () => [...ring],
    get omitted() {
      return omitted;
    },
  };
}
