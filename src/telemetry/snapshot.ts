import type { StreamId } from '../core/stream.ts';
import type { CoreFigures } from './core-meter.ts';
import type { SchedulerFigures } from './decision-meter.ts';
import type { VoiceFigures } from './detection-meter.ts';
import type { EventLoopFigures } from './event-loop-meter.ts';
import type { Incident } from './incident-log.ts';
import type { StreamFigures } from './ledger.ts';
import type { ProcessFigures } from './process-meter.ts';
import type { SourceFigures } from './source-meter.ts';

export interface MqttFigures {
  /** For people, such as `connected`; `off` when no broker is configured. */
  readonly state: string;
  /** Without credentials; null when no broker is configured. */
  readonly url: string | null;
  readonly published: number;
  readonly dropped: Readonly<Record<string, number>>;
}

/** What was configured: the node, the file for people, and the SHA-256 (lower-case hexadecimal) of the effective configuration without secrets. */
export interface ConfigFigures {
  readonly node: string;
  readonly file: string;
  readonly sha256: string;
}

/** The state of a run at one instant; frozen. For the live table, MQTT telemetry and the report. */
export interface Snapshot {
  /** Since the start of the run. */
  readonly elapsedMs: number;
  readonly config: ConfigFigures;
  readonly streams: readonly StreamFigures[];
  readonly cores: readonly CoreFigures[];
  readonly sources: readonly SourceFigures[];
  readonly scheduler: SchedulerFigures;
  readonly eventLoop: EventLoopFigures;
  readonly process: ProcessFigures;
  readonly detections: Readonly<Record<StreamId, Readonly<Record<string, number>>>>;
  readonly voice: VoiceFigures;
  readonly incidents: readonly Incident[];
  readonly incidentsOmitted: number;
  readonly mqtt: MqttFigures;
}
