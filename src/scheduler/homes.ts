import { expectHere } from './expected.ts';
import { canServe, isSpared, isTalk, type SchedulerState, type StreamState } from './state.ts';

/** To be called when a core comes or goes. */
export function noteCores(state: SchedulerState): void {
  for (const { cores, models, open } of state.groups) {
    open.length = 0;
    for (const core of cores) {
      for (const model of models) model.isOpen[core.index] = canServe(core, model.plan.model) && !isSpared(core, model);
      if (models.some(({ isOpen }) => isOpen[core.index])) open.push(core);
    }
  }
  assignHomes(state);
}

/**
 * To be called when a stream is served otherwise, too: every protected stream is reserved for on the first core of its list that can run it, a gang on the first ones. A stream
 * with a server is promised a rate instead, and of the next turn of a conversation nobody knows how long it is.
 */
export function assignHomes(state: SchedulerState): void {
  for (const core of state.cores) core.homeStreams.length = 0;
  for (const stream of state.streams.values()) stream.homes.length = 0;
  for (const stream of state.streams.values()) {
    if (stream.stream.criticality === 'background' || stream.level < 0 || stream.server !== undefined || isTalk(stream.model)) continue;
    makeHome(stream);
  }
  for (const core of state.cores) {
    core.homeBusRatio = core.homeStreams.reduce((most, { model }) => Math.max(most, model.busRatio), 0);
    core.homeWaitingCount = core.homeStreams.reduce((sum, { waiting }) => sum + waiting.length, 0);
    expectHere(core);
  }
}

function makeHome(stream: StreamState): void {
  const { plan, width, fastestFirst } = stream.model;
  let missing = width;
  for (const core of fastestFirst) {
    if (missing === 0) return;
    if (!canServe(core, plan.model)) continue;
    missing -= 1;
    stream.homes.push({ core, place: core.homeStreams.length });
    core.homeStreams.push(stream);
  }
}
