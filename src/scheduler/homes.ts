import { orderExpected } from './expected.ts';
import { canServe, isSpared, isTalk, type SchedulerState } from './state.ts';

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
  for (const stream of state.streams.values()) stream.expectedOn.length = 0;
  for (const stream of state.streams.values()) {
    if (stream.stream.criticality === 'background' || stream.level < 0 || stream.server !== undefined || isTalk(stream.model)) continue;
    const { width, fastestFirst } = stream.model;
    if (width === 1) fastestFirst.find((core) => canServe(core, stream.model.plan.model))?.homeStreams.push(stream);
    else
      for (const home of fastestFirst.filter((core) => canServe(core, stream.model.plan.model)).slice(0, width))
        home.homeStreams.push(stream);
  }
  for (const core of state.cores) {
    core.homeBusRatio = core.homeStreams.reduce((most, { model }) => Math.max(most, model.plan.busRatio ?? 0), 0);
    orderExpected(core);
  }
}
