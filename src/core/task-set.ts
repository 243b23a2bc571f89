/** A table of tasks in any one unit of time, as a user gives it to an analysis. Decimals mean what they say: 0.1 is one tenth. */
export interface TaskSet {
  /** At least one. Ids differ, also from those of servers and chains. */
  readonly tasks: readonly TaskRow[];
  /** Fixed priorities: by deadline, or as listed with the most urgent first. */
  readonly order: 'deadline' | 'listed';
  /** The grid on which jobs arrive; 0 for continuous time. Undefined: one unit of the finest decimal place of the table. */
  readonly tick: number | undefined;
  /** How many cores there are; undefined: as many as it takes. */
  readonly cores: number | undefined;
  readonly servers: readonly ServerRow[];
  /** How long to play servers; undefined: until all their jobs have ended and the core is idle. */
  readonly until: number | undefined;
  /** Undefined: one chain of all tasks as listed. */
  readonly chains: readonly ChainRow[] | undefined;
  /** Where the responses of a chain come from. */
  readonly via: 'rta' | 'np-fp' | 'deadline';
  readonly memory: MemoryRow | undefined;
}

export interface TaskRow {
  readonly id: string;
  /** C, worst-case cost of a job; the C(LO) in mixed criticality. Above 0, as are t and d. */
  readonly c: number;
  readonly t: number;
  readonly d: number;
  /** B, blocking from outside the table. */
  readonly b: number;
  /** J, release jitter. */
  readonly j: number;
  readonly crit: 'HI' | 'LO';
  /** C(HI), at least c. */
  readonly cHi: number;
  readonly cores: number;
  /** L, longest path, at most c. */
  readonly path: number;
  /** Longest region without preemption, at most c. */
  readonly segment: number;
  readonly group: string;
  /** Moved over the shared memory by one job. */
  readonly bytes: number;
  /** Bytes guaranteed per regulation period; undefined: not regulated. */
  readonly budget: number | undefined;
}

/** A constant-bandwidth server: q in every t. */
export interface ServerRow {
  readonly id: string;
  readonly q: number;
  readonly t: number;
  /** Released at r with cost c; in order of release. */
  readonly jobs: readonly { readonly r: number; readonly c: number }[];
}

export interface ChainRow {
  readonly id: string;
  readonly tasks: readonly string[];
  readonly d: number | undefined;
}

/** Bytes per unit of time; the regulation period in that unit. */
export interface MemoryRow {
  readonly rate: number;
  readonly guaranteed: number;
  readonly period: number;
}
