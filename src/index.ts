/**
 * The public API: load a configuration, run it, read its report; and the parts that stand by themselves, clock, scheduler and decision log. Every export is
 * named here by hand; what is not here may change at any time.
 */
export { createConfigFiles } from './config/config-files.ts';
export { configJsonSchema } from './config/json-schema.ts';
export { formatWarning, lintConfig } from './config/lint-config.ts';
export { loadConfig } from './config/load-config.ts';
export { effectiveConfig, printConfig } from './config/print-config.ts';
export type { RuntimeConfig } from './config/runtime-config.ts';
export type { Clock, Timer } from './core/clock.ts';
export type { Decision } from './core/decision.ts';
export { CoxswainError, ERROR_CODES, type ErrorCode } from './core/errors.ts';
export type { Event } from './core/event.ts';
export type { Job } from './core/job.ts';
export type { DropReason, FailReason, Outcome, RejectReason } from './core/outcome.ts';
export { Prng } from './core/prng.ts';
export type { Result, ResultItem } from './core/result.ts';
export { SimClock } from './core/sim-clock.ts';
export type { Criticality, Freshness, Stream } from './core/stream.ts';
export { createSystemClock } from './core/system-clock.ts';
export { type DurationUs, durationFromMs, durationUs, type InstantUs, instantUs, msFromDuration } from './core/units.ts';
export { createCodecDirectory } from './runtime/codec-directory.ts';
export { createLanguageDirectory } from './runtime/language-directory.ts';
export { planRun, type RunPlan } from './runtime/plan-run.ts';
export type { Runtime, RuntimeDeps, StopHow } from './runtime/runtime.ts';
export { startRuntime } from './runtime/start.ts';
export {
  createScheduler,
  type Dependency,
  type ExactCost,
  PLAN_DEFAULTS,
  type PolicyName,
  type PolicyTuning,
  type SchedulerPlan,
  type SchedulerState,
  step,
  stepTogether,
  type TimeoutPlan,
} from './scheduler/scheduler.ts';
export { createDecisionLog, type DecisionLog, type DecisionLogSink } from './telemetry/decision-log.ts';
export { replayDecisions } from './telemetry/decision-replay.ts';
export type { Incident } from './telemetry/incident-log.ts';
export { type Report, reportSchema } from './telemetry/report-schema.ts';
export type { Snapshot } from './telemetry/snapshot.ts';
