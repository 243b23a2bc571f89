import type { Clock } from '../core/clock.ts';
import type { DecisionLogSink } from '../telemetry/decision-log.ts';
import type { Incident } from '../telemetry/incident-log.ts';
import type { Report } from '../telemetry/report-schema.ts';
import type { Snapshot } from '../telemetry/snapshot.ts';
import type { ActionsService } from './actions-service.ts';

/** `drain`: running jobs may end, within `drainMs`. `now`: cores are killed and what runs stays in flight in the report. */
export type StopHow = 'drain' | 'now';

/** A configuration at work. */
export interface Runtime {
  /** Cheap; any time. */
  snapshot(): Snapshot;
  /** Called as each incident happens. Returns the way out. */
  onIncident(listener: (incident: Incident) => void): () => void;
  /** Undefined where the configuration allows no actions. */
  readonly actions: ActionsService | undefined;
  /** Where OpenAI clients find it; undefined where the configuration has no server. */
  readonly http: string | undefined;
  /** Ends the run and frees everything. A second call with `now` hurries a drain; every call gives the same report. */
  stop(how: StopHow): Promise<Report>;
  /** Resolves when every source has ended by itself, such as a recording without a loop. */
  readonly ended: Promise<void>;
}

export interface RuntimeDeps {
  readonly clock: Clock;
  /** Where the decision log goes, if it shall be written. */
  readonly decisionLog?: DecisionLogSink;
  /** For `console` sinks: one line, unescaped. */
  readonly print?: (line: string) => void;
}
