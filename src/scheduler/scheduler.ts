export { type ModelPlan, PLAN_DEFAULTS, type SchedulerPlan, type TimeoutPlan } from './plan.ts';
export { createScheduler, type SchedulerState } from './state.ts';
export { step } from './step.ts';
