export { createScheduler } from './create-scheduler.ts';
export {
  type Dependency,
  DROP_RULES,
  type DropRule,
  type ExactCost,
  type ModelPlan,
  type ModePlan,
  PLAN_DEFAULTS,
  POLICY_NAMES,
  type PolicyName,
  type PolicyTuning,
  type PreemptionPlan,
  rowFor,
  type SchedulerPlan,
  type ServerPlan,
  type TimeoutPlan,
  type VariantPlan,
} from './plan.ts';
export type { SchedulerState } from './state.ts';
export { step, stepTogether } from './step.ts';
