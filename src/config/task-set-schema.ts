import { z } from 'zod';

/** Table of tasks for `coxswain analyze`; docs/analysis.md describes every key. One text per field says what is allowed. */

/** Above what a vehicle or a robot has by two orders of magnitude, and what every test finishes or refuses within its bound on work. */
const TASKS_MAX = 20_000;
const SERVERS_MAX = 1_000;
const CHAINS_MAX = 1_000;
const JOBS_MAX = 20_000;
/** Far above any time in any unit; keeps exponents such as 1e300 out of exact arithmetic. */
const TIME_MAX = 1e15;

const positive = (about: string) => {
  const error = `a number above 0, at most ${TIME_MAX}`;
  return z.number({ error }).positive({ error }).max(TIME_MAX, { error }).describe(about);
};
const notNegative = (about: string) => {
  const error = `a number from 0 to ${TIME_MAX}`;
  return z.number({ error }).min(0, { error }).max(TIME_MAX, { error }).describe(about);
};
const ID_ALLOWED = '1 to 64 printable characters';
const id = z
  .string({ error: ID_ALLOWED })
  .min(1, { error: ID_ALLOWED })
  .max(64, { error: ID_ALLOWED })
  .refine((text) => !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(text), { error: ID_ALLOWED })
  .describe('Name in the output; by default its number, from 1.');
const coreCount = (about: string) => z.int({ error: 'a whole number from 1 to 1024' }).min(1).max(1024).describe(about);

const task = z
  .strictObject({
    id: id.optional(),
    c: positive('Worst-case cost of a job; C(LO) in mixed criticality, the work of all cores together for a parallel job.'),
    t: positive('Period, or least time between two arrivals.'),
    d: positive('Deadline relative to the arrival; by default the period.').optional(),
    b: notNegative('Blocking from outside the table.').optional(),
    j: notNegative('Release jitter.').optional(),
    crit: z.enum(['HI', 'LO'], { error: 'one of HI, LO' }).describe('Criticality; LO by default.').optional(),
    cHi: positive('C(HI), at least c; of HI tasks only.').optional(),
    cores: coreCount('Cores that a job takes at once.').optional(),
    path: positive('Longest path of a parallel job, at most c; c by default, which is a sequential job.').optional(),
    segment: positive('Longest region without preemption, at most c; c by default.').optional(),
    group: id.describe('Core group that it is pinned to; one group by default.').optional(),
    bytes: notNegative('Bytes that a job moves over the shared memory.').optional(),
    budget: positive('Bytes guaranteed to it per regulation period; without it the task is not regulated.').optional(),
  })
  .describe('One task.');

const server = z.strictObject({
  id: id.optional(),
  q: positive('Budget per period, at most t.'),
  t: positive('Period.'),
  jobs: z
    .array(z.strictObject({ r: notNegative('Release.'), c: positive('Cost.') }), { error: `a list of at most ${JOBS_MAX} jobs` })
    .max(JOBS_MAX)
    .describe('In order of release.')
    .optional(),
});

const chain = z.strictObject({
  id: id.optional(),
  tasks: z.array(id, { error: 'a list of 1 to 1000 ids of tasks' }).min(1).max(1000).describe('Ids of tasks in the order that data takes.'),
  d: positive('Longest end-to-end latency; without it the latency is only told.').optional(),
});

const memory = z.strictObject({
  rate: positive('Peak rate in bytes per unit of time.'),
  guaranteed: positive('Rate that is sure in the worst access pattern, at most the peak; the peak by default.').optional(),
  period: positive('Regulation period.'),
});

export const taskSetSchema = z
  .strictObject({
    tasks: z
      .array(task, { error: `a list of 1 to ${TASKS_MAX} tasks` })
      .min(1, { error: `a list of 1 to ${TASKS_MAX} tasks` })
      .max(TASKS_MAX, { error: `a list of 1 to ${TASKS_MAX} tasks` }),
    order: z.enum(['deadline', 'listed'], { error: 'one of deadline, listed' }).describe('Fixed priorities.').optional(),
    tick: notNegative('Grid of arrivals; 0 for continuous time.').optional(),
    cores: coreCount('Cores that there are.').optional(),
    servers: z
      .array(server, { error: `a list of at most ${SERVERS_MAX} servers` })
      .max(SERVERS_MAX)
      .optional(),
    until: positive('How long to play the servers.').optional(),
    chains: z
      .array(chain, { error: `a list of 1 to ${CHAINS_MAX} chains` })
      .min(1)
      .max(CHAINS_MAX)
      .optional(),
    via: z
      .enum(['rta', 'np-fp', 'deadline'], { error: 'one of rta, np-fp, deadline' })
      .describe('Where responses of chains come from.')
      .optional(),
    memory: memory.optional(),
  })
  .describe('A table of tasks in any one unit of time.');

export type TaskSetSection = z.output<typeof taskSetSchema>;
