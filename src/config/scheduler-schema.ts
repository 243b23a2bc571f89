import { z } from 'zod';
import { choiceField, entriesOf, idField, listOf, msField, numberField } from './fields.ts';

// The names are those of scheduler/plan.ts, which config may not import; the compiler and a test hold both lists to each other.
export const POLICIES = ['coxswain', 'edf', 'fifo', 'fixed-priority', 'latency-greedy', 'laxity', 'round-robin'] as const;
export const DROP_RULES = ['none', 'expired', 'infeasible'] as const;
export const VICTIM_RULES = ['turns', 'value'] as const;
export const BUS_RULES = ['apart', 'shared'] as const;
export const RESUME_RULES = ['always', 'fair', 'unless-late'] as const;
export const CUTTINGS = ['auto', 'none'] as const;

const tuningSchema = z
  .strictObject({
    drop: choiceField(
      DROP_RULES,
      'Which waiting jobs are given up: none; expired, those past their deadline; infeasible, those that no core can finish in time any more. Default: infeasible for coxswain, expired for the others.',
    ).optional(),
    victim: choiceField(
      VICTIM_RULES,
      'Only for coxswain: who loses when two jobs of one class cannot both be served. turns: the stream that lost less so far; value: whatever costs the least quality. Default: turns.',
    ).optional(),
    bus: choiceField(
      BUS_RULES,
      'Only for coxswain, where it is known what runs move over the memory bus, as of simulated cores. apart: a run is held where what it takes of the bus would make a more urgent one on another core late; shared: the bus is not looked at. Default: apart.',
    ).optional(),
    resume: choiceField(
      RESUME_RULES,
      'Between turns of one pipeline. always: one that has begun goes before a new one; unless-late: a new one goes first when it would miss its first token otherwise; fair: they go on in turn, burst by burst, so that of many conversations none waits for another to be answered whole. Default: always.',
    ).optional(),
  })
  .prefault({})
  .describe('What can be set about the policy.');

const serverSchema = z
  .strictObject({
    pipelines: listOf(
      idField('A pipeline below safety.'),
      { min: 1, max: 64 },
      'Who shares it; all of one criticality, each in one server.',
    ),
    budgetMs: msField({ min: 0.001, max: 600_000 }, 'Run time on a core, in every period.'),
    periodMs: msField({ min: 0.001, max: 600_000 }, 'At least budgetMs.'),
  })
  .describe(
    'Run time that pipelines can count on, whatever others of their class want, and beyond which they are no more urgent than what lies idle.',
  );

const busBudgetSchema = z
  .strictObject({
    periodMs: msField({ min: 0.1, max: 1_000 }, 'Budgets are handed out anew at its multiples.').default(1),
    pipelinesMb: entriesOf(
      numberField(
        { min: 0.001, max: 1_000_000 },
        'MB',
        'What the segments of the pipeline may move in every period, on all cores together; millions of bytes.',
      ),
      'Pipelines that are held to a budget, of any criticality; the others take what they get.',
    ),
  })
  .describe(
    'What pipelines may move over the memory bus, as hardware regulates it (MemGuard): who has used up its budget waits for the next period. Simulated chips hold to it; the cores of device.kind ort cannot, and run says so.',
  );

export const schedulerSchema = z
  .strictObject({
    policy: choiceField(
      POLICIES,
      'The order of jobs. coxswain: what cannot finish is given up, then class, then deadline, with cores held for what is expected. The others are the orders of the textbooks, for comparison; coxswain check proves something of coxswain, edf and fixed-priority.',
    ).default('coxswain'),
    tuning: tuningSchema,
    cuts: choiceField(
      CUTTINGS,
      'auto: a network that may run for longer than somebody more urgent stands is cut into blocks as long as the analysis allows, and can be interrupted between them, on simulated chips and on the cores of device.kind ort alike. none: nothing is cut.',
    ).default('auto'),
    servers: entriesOf(
      serverSchema,
      'Reservations for pipelines below safety, by name. Only policy coxswain with victim: turns keeps them.',
    ).default({}),
    busBudget: busBudgetSchema.optional(),
  })
  .prefault({})
  .describe('Who runs when.');

export type SchedulerSection = z.output<typeof schedulerSchema>;
