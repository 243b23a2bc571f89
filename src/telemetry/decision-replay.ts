import type { Decision } from '../core/decision.ts';
import { messageOf } from '../core/errors.ts';
import type { Event } from '../core/event.ts';
import { DECISION_LOG_FORMAT, DECISION_LOG_VERSION, stepLine } from './decision-log.ts';

/** Makes a fresh scheduler from the plan of a log's header; the runtime passes createScheduler and step. */
export type Stepper = (plan: unknown) => (event: Event) => readonly Decision[];

export interface Replay {
  readonly same: boolean;
  /** Events stepped again. */
  readonly events: number;
  readonly firstDifference?: ReplayDifference;
}

export interface ReplayDifference {
  /** Counted from 1, header included. */
  readonly line: number;
  /** `header`: not a log that this version reads; `unreadable`: not a step; `gap`: lines are missing from here on; `decisions`: other bytes; `assertion`: the scheduler refused the event. */
  readonly kind: 'header' | 'unreadable' | 'gap' | 'decisions' | 'assertion';
  readonly logged: string;
  readonly replayed: string;
}

/**
 * Steps the events of a decision log again and compares what comes out with the bytes of the log. An unreadable last line is what a power cut leaves
 * behind: it is passed over; anywhere else it is a difference.
 */
export function replayDecisions(lines: Iterable<string>, stepper: Stepper): Replay {
  let stepOne: ((event: Event) => readonly Decision[]) | undefined;
  let torn: ReplayDifference | undefined;
  let events = 0;
  let line = 0;
  for (const logged of lines) {
    line += 1;
    if (logged === '') continue;
    if (torn !== undefined) return { same: false, events, firstDifference: torn };
    const differ = (kind: ReplayDifference['kind'], replayed: string): Replay => ({
      same: false,
      events,
      firstDifference: { line, kind, logged, replayed },
    });
    const record = parse(logged);
    if (stepOne === undefined) {
      if (!isHeader(record)) return differ('header', `a header of format ${DECISION_LOG_FORMAT}, version ${DECISION_LOG_VERSION}`);
      stepOne = stepper(record.plan);
    } else if (isStep(record)) {
      const replayed = restep(stepOne, record.event);
      if (replayed.kind === 'assertion') return differ('assertion', replayed.text);
      if (replayed.text !== logged) return differ('decisions', replayed.text);
      events += 1;
    } else if (isGap(record)) {
      return differ('gap', 'an event');
    } else {
      torn = { line, kind: 'unreadable', logged, replayed: 'an event and its decisions' };
    }
  }
  if (stepOne === undefined) return { same: false, events, firstDifference: { line: 1, kind: 'header', logged: '', replayed: 'a header' } };
  return { same: true, events };
}

function restep(stepOne: (event: Event) => readonly Decision[], event: Event): { kind: 'line' | 'assertion'; text: string } {
  try {
    return { kind: 'line', text: stepLine(event, stepOne(event)) };
  } catch (thrown) {
    return { kind: 'assertion', text: messageOf(thrown) };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isHeader = (value: unknown): value is { plan: object } =>
  isObject(value) && value.format === DECISION_LOG_FORMAT && value.version === DECISION_LOG_VERSION && isObject(value.plan);

const isStep = (value: unknown): value is { event: Event } =>
  isObject(value) && isObject(value.event) && Array.isArray(value.decisions) && typeof value.event.kind === 'string';

const isGap = (value: unknown): boolean => isObject(value) && typeof value.gap === 'number';
