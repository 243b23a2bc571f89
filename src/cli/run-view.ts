import { after, type Timer } from '../core/clock.ts';
import { type DurationUs, durationFromMs, elapsedUs, msFromDuration } from '../core/units.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Incident } from '../telemetry/incident-log.ts';
import type { CliDeps } from './cli-deps.ts';
import { incidentLine, renderLive } from './live-view.ts';
import { choosePaint, plainPaint } from './paint.ts';
import { bannerLines, httpLine, progressLine } from './plain-lines.ts';
import { createScreen } from './screen.ts';
import type { Terminal } from './terminal.ts';
import { escapeText } from './terminal-text.ts';

/** Four frames a second: faster than that nobody reads figures. */
const FRAME_PERIOD_US = durationFromMs(250);
const PROGRESS_PERIOD_US = durationFromMs(5_000);

/** Lines of `console` sinks that the live table shows. */
const PRINTED_MAX = 3;

/** How a run is shown while it lasts. */
export interface RunView {
  begin(runtime: Runtime): void;
  /** A line of a `console` sink; it may hold text from outside. */
  print(line: string): void;
  /** Something about this command rather than about the runtime, such as a lost log; at most a few in a run. */
  notice(message: string): void;
  stopping(): void;
  /** Leaves the terminal as it was; safe to call at any time, more than once. */
  close(): void;
}

export interface RunViewOptions {
  readonly runFor: DurationUs | undefined;
}

type ViewDeps = Pick<CliDeps, 'clock' | 'env' | 'onExit' | 'version'>;

/** A table that is drawn again four times a second. */
export function createLiveView(terminal: Terminal, options: RunViewOptions, deps: ViewDeps): RunView {
  const { clock } = deps;
  const screen = createScreen(terminal);
  // Whatever ends the process, the cursor comes back.
  const leaveExit = deps.onExit(() => screen.close());
  const paint = choosePaint(terminal.isTty, deps.env);
  const notices: string[] = [];
  const printed: string[] = [];
  let runtime: Runtime | undefined;
  let startedAt = clock.now();
  let timer: Timer | undefined;
  let isStopping = false;

  const elapsedMs = (): number => msFromDuration(elapsedUs(startedAt, clock.now()));
  const draw = (): void => {
    if (runtime === undefined) return;
    const snapshot = runtime.snapshot();
    const size = { columns: terminal.columns(), rows: terminal.rows() };
    screen.draw(
      renderLive(snapshot, {
        ...size,
        paint,
        elapsedMs: elapsedMs(),
        http: runtime.http,
        runFor: options.runFor,
        isStopping,
        printed,
        notices,
      }),
    );
  };
  const tick = (): void => {
    draw();
    timer = after(clock, FRAME_PERIOD_US, tick);
  };

  return {
    begin(started) {
      runtime = started;
      startedAt = clock.now();
      tick();
    },
    print(line) {
      printed.push(line);
      if (printed.length > PRINTED_MAX) printed.shift();
    },
    notice(message) {
      notices.push(message);
    },
    stopping() {
      isStopping = true;
      draw();
    },
    close() {
      timer?.cancel();
      screen.erase();
      screen.close();
      leaveExit();
      runtime = undefined;
    },
  };
}

/** Lines for a file, a pipe or a service manager: a banner, one line every five seconds, and incidents as they come. */
export function createPlainView(terminal: Terminal, deps: ViewDeps): RunView {
  const { clock } = deps;
  let timer: Timer | undefined;
  let leaveIncidents = (): void => undefined;
  const print = (line: string): void => terminal.write(`${line}\n`);

  return {
    begin(runtime) {
      const startedAt = clock.now();
      const snapshot = runtime.snapshot();
      const tell = (incident: Incident): void => print(incidentLine(incident, Number.POSITIVE_INFINITY, plainPaint));
      for (const line of bannerLines(snapshot, deps.version)) print(line);
      if (runtime.http !== undefined) print(httpLine(runtime.http));
      for (const incident of snapshot.incidents) tell(incident);
      leaveIncidents = runtime.onIncident(tell);
      const tick = (): void => {
        timer = after(clock, PROGRESS_PERIOD_US, () => {
          print(progressLine(runtime.snapshot(), msFromDuration(elapsedUs(startedAt, clock.now()))));
          tick();
        });
      };
      tick();
    },
    print: (line) => print(escapeText(line)),
    notice: (message) => print(`warning: ${escapeText(message)}`),
    stopping: () => print('stopping'),
    close() {
      timer?.cancel();
      leaveIncidents();
    },
  };
}
