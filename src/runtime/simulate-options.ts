import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { SocMode, SocProfile } from '../core/soc-profile.ts';
import type { DurationUs } from '../core/units.ts';
import type { SimFaultCounts } from '../devices/sim/faults.ts';
import type { PolicyName } from '../scheduler/scheduler.ts';

/** Where outputs come from: nowhere, so that they are empty, or ONNX Runtime in as many processes as the configuration has cores. */
export type SimulatedCompute = 'none' | 'ort';

export interface SimulateOptions {
  readonly config: RuntimeConfig;
  readonly profile: SocProfile;
  readonly mode: SocMode;
  /** Of simulated time, from the first frame on. */
  readonly spanUs: DurationUs;
  readonly seed: number;
  readonly faults: SimFaultCounts;
  /** Default: the one of the configuration's plan. */
  readonly policy?: PolicyName;
  /** Default: none. */
  readonly compute?: SimulatedCompute;
  readonly isTraced: boolean;
}
