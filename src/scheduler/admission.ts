import { assert } from '../core/assert.ts';
import type { Decision } from '../core/decision.ts';
import { typicalUsOn } from './cost-of.ts';
import { hardSetProblem, type Task } from './hard-set.ts';
import { assignHomes } from './homes.ts';
import { endJob } from './lifecycle.ts';
import { type CoreState, canServe, isTalk, type ModelState, type SchedulerState, type ServerState, type StreamState } from './state.ts';
import { isAnswering } from './turn.ts';

/** A stream that is not served. */
const SHED = -1;

/** By stream: the place in its `levels`, or SHED. */
type Levels = Map<StreamState, number>;

/**
 * Decides anew which streams are served, and with which variant of their model: to be called when the mode changes and when a core comes or goes. The mode
 * says what it wants; where that does not fit on the cores there are, streams are made cheaper, and then shed, from the least important class up, until it does.
 * Inside a class cheaper comes before shed; a `safety` stream is never shed by this. What is taken is taken at once, what is given back only when it has
 * fitted for `settleUs`, so that nothing flaps. Does nothing in a plan without variants and modes.
 */
export function readmit(state: SchedulerState, decisions: Decision[]): void {
  if (state.plan.variants === undefined && state.plan.modes === undefined) return;
  const wanted = wantedLevels(state);
  for (const core of state.cores) makeFit(core, wanted);
  const isRelief = [...wanted].some(([stream, level]) => isCheaper(level, stream.level));
  const isGiven = [...wanted].some(([stream, level]) => isCheaper(stream.level, level));
  if (!isGiven || isRelief) state.fitsSince = undefined;
  else state.fitsSince ??= state.now;
  const mayGive = state.fitsSince !== undefined && state.now >= state.fitsSince + state.plan.settleUs;
  let didChange = false;
  for (const [stream, level] of wanted) {
    if (level === stream.level || (isCheaper(stream.level, level) && !mayGive)) continue;
    serve(state, stream, level, decisions);
    didChange = true;
  }
  if (mayGive) state.fitsSince = undefined;
  if (didChange) assignHomes(state);
}

/** When something that fits again may be given back. */
export const settledAt = (state: SchedulerState): number | undefined =>
  state.fitsSince === undefined ? undefined : state.fitsSince + state.plan.settleUs;

export function giveBackWhenSettled(state: SchedulerState, decisions: Decision[]): void {
  const at = settledAt(state);
  if (at !== undefined && state.now >= at) readmit(state, decisions);
}

const isCheaper = (a: number, b: number): boolean => a !== b && (a === SHED || (b !== SHED && a > b));

function wantedLevels(state: SchedulerState): Levels {
  const rows = state.plan.modes?.find(({ mode }) => mode === state.mode)?.streams ?? [];
  const levels: Levels = new Map();
  for (const stream of state.streams.values()) {
    const row = rows.find((candidate) => candidate.stream === stream.stream.id);
    const level = row === undefined ? 0 : row.model === null ? SHED : stream.levels.findIndex(({ plan }) => plan.model === row.model);
    levels.set(stream, level);
  }
  return levels;
}

/** Makes what has a guarantee on that core cheaper until it fits there, as far as planning can tell; what runs in the background is in nobody's way. */
function makeFit(core: CoreState, levels: Levels): void {
  for (;;) {
    const here = [...levels].filter(([stream, level]) => isPromised(stream) && isAtHome(stream, level, core));
    if (hardSetProblem(here.map(([stream, level]) => taskOf(stream, level, core))) === undefined) return;
    const victim = victimOf(here, core);
    if (victim === undefined) return;
    levels.set(victim.stream, victim.level);
  }
}

/** Whether the core owes it something: results in time, or the budget of a server. Of turns without one nobody knows how many there will be. */
const isPromised = ({ stream, server, model }: StreamState): boolean =>
  server !== undefined || (stream.criticality !== 'background' && !isTalk(model));

/** Whether the stream is at home there: on the first core of its list that can be counted on, a gang on the first ones. One that has never been up is still to come. */
function isAtHome(stream: StreamState, level: number, core: CoreState): boolean {
  const model = stream.levels[level];
  if (model === undefined) return false;
  let place = 0;
  for (const candidate of model.fastestFirst) {
    if (candidate.wasUp && !canServe(candidate, model.plan.model)) continue;
    if (candidate === core) return true;
    place += 1;
    if (place === model.width) return false;
  }
  return false;
}

function taskOf(stream: StreamState, level: number, core: CoreState): Task {
  const model = stream.levels[level];
  assert(model !== undefined, 'a stream with a home is served');
  const { server } = stream;
  if (server === undefined) return { stream: stream.stream, costUs: typicalUsOn(model, core) };
  const { periodUs } = server.plan;
  return { stream: { ...stream.stream, criticality: 'interactive', periodUs, deadlineUs: periodUs }, costUs: ownBudgetUs(server) };
}

/** Streams under one server share its budget. */
const ownBudgetUs = ({ plan, streams }: ServerState): number => plan.budgetUs / streams.length;

/** Of the least important class that can give anything: whoever saves the most by a cheaper variant; if nobody can, whoever takes the most is shed. */
function victimOf(here: readonly (readonly [StreamState, number])[], core: CoreState): { stream: StreamState; level: number } | undefined {
  const ranks = [...new Set(here.map(([stream]) => stream.rank))].sort((a, b) => b - a);
  for (const rank of ranks) {
    const peers = here.filter(([stream]) => stream.rank === rank);
    const cheaper = peers.map(([stream, level]) => ({ stream, level: level + 1, saves: savedRatio(stream, level, level + 1, core) }));
    const best = cheaper.filter(({ saves }) => saves > 0).sort((a, b) => b.saves - a.saves)[0];
    if (best !== undefined) return best;
    if (rank === 0) continue;
    const loads = peers.map(([stream, level]) => ({ stream, level: SHED, saves: savedRatio(stream, level, SHED, core) }));
    return loads.sort((a, b) => b.saves - a.saves)[0];
  }
  return undefined;
}

/** Part of the core that is free again. Negative when the stream has no such level. */
function savedRatio(stream: StreamState, from: number, to: number, core: CoreState): number {
  const { server } = stream;
  // A server has its budget whatever it is spent on.
  if (server !== undefined) return to === SHED ? ownBudgetUs(server) / server.plan.periodUs : -1;
  const [before, after] = [stream.levels[from], to === SHED ? undefined : stream.levels[to]];
  if (before === undefined || (to !== SHED && after === undefined)) return -1;
  const us = (model: ModelState | undefined): number => (model === undefined ? 0 : typicalUsOn(model, core));
  return (us(before) - us(after)) / Math.max(1, stream.stream.periodUs);
}

function serve(state: SchedulerState, stream: StreamState, level: number, decisions: Decision[]): void {
  stream.level = level;
  const model = stream.levels[level];
  if (model !== undefined) stream.model = model;
  decisions.push({ kind: 'variant', stream: stream.stream.id, model: model?.plan.model ?? null, mode: state.mode });
  if (level !== SHED) return;
  // What has been begun to be said is said to its end.
  for (const job of stream.waiting.filter((waiting) => !isAnswering(waiting)))
    endJob(state, job, { kind: 'dropped', reason: 'shed' }, decisions);
}

/** Whether the stream is not served now. */
export const isShed = (stream: StreamState): boolean => stream.level === SHED;
