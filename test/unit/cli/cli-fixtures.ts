import type { CliDeps } from '../../../src/cli/cli-deps.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import type { RuntimeConfig } from '../../../src/config/runtime-config.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import type { Criticality, Stream } from '../../../src/core/stream.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { createTelemetry, type Telemetry } from '../../../src/telemetry/telemetry.ts';

/** A terminal that remembers what was written. */
export interface FakeTerminal extends Terminal {
  text: string;
  size: { columns: number; rows: number };
  isFull: boolean;
  resize(columns: number, rows: number): void;
  breakOff(isGone: boolean, message: string): void;
}

export function fakeTerminal(isTty: boolean, columns = 100, rows = 40): FakeTerminal {
  const resizeListeners = new Set<() => void>();
  const closedListeners: ((isGone: boolean, message: string) => void)[] = [];
  return {
    isTty,
    text: '',
    size: { columns, rows },
    isFull: false,
    columns() {
      return this.size.columns;
    },
    rows() {
      return this.size.rows;
    },
    write(text) {
      this.text += text;
    },
    isBehind() {
      return this.isFull;
    },
    onResize(listener) {
      resizeListeners.add(listener);
      return () => resizeListeners.delete(listener);
    },
    onClosed(listener) {
      closedListeners.push(listener);
    },
    resize(newColumns, newRows) {
      this.size = { columns: newColumns, rows: newRows };
      for (const listener of resizeListeners) listener();
    },
    breakOff(isGone, message) {
      for (const listener of closedListeners) listener(isGone, message);
    },
  };
}

export interface FakeWorld extends CliDeps {
  readonly out: FakeTerminal;
  readonly err: FakeTerminal;
  readonly clock: SimClock;
  readonly exits: number[];
  readonly signalListeners: Set<(signal: string) => void>;
  readonly exitListeners: Set<() => void>;
  signal(name: string): void;
}

export function fakeWorld(isTty = false, env: Readonly<Record<string, string>> = {}): FakeWorld {
  const signalListeners = new Set<(signal: string) => void>();
  const exitListeners = new Set<() => void>();
  const exits: number[] = [];
  return {
    out: fakeTerminal(isTty),
    err: fakeTerminal(isTty),
    env,
    clock: new SimClock(instantUs(1_000_000), Date.UTC(2026, 0, 2)),
    version: '9.9.9',
    exits,
    signalListeners,
    exitListeners,
    onSignal: (listener) => {
      signalListeners.add(listener);
      return () => signalListeners.delete(listener);
    },
    onExit: (listener) => {
      exitListeners.add(listener);
      return () => exitListeners.delete(listener);
    },
    exitNow: (code) => {
      exits.push(code);
    },
    signal: (name) => {
      for (const listener of [...signalListeners]) listener(name);
    },
  };
}

export const fakeStream = (id: string, model: string, criticality: Criticality, deadlineMs: number): Stream => ({
  id,
  model,
  criticality,
  periodUs: durationFromMs(deadlineMs),
  deadlineUs: durationFromMs(deadlineMs),
  freshness: { kind: 'latest' },
  isStateful: false,
});

export const STREAMS: readonly Stream[] = [
  fakeStream('objects', 'nanodet', 'safety', 125),
  fakeStream('faces', 'blazeface', 'safety', 66),
  fakeStream('speech', 'silero-vad', 'interactive', 100),
  fakeStream('lines', 'mlsd', 'background', 2000),
];

/** Real telemetry on a simulated clock, with fixed figures of the process. */
export function cockpitTelemetry(clock: SimClock, node = 'cockpit'): Telemetry {
  return createTelemetry(
    { streams: STREAMS, cores: [0, 1], sources: ['front'], config: { node, file: 'configs/cockpit.yaml', sha256: 'ab'.repeat(32) } },
    {
      clock,
      host: { cpuModel: 'cpu', cores: 2, memoryBytes: 8e9, node: '20.20.2', platform: 'linux-x64', kernel: '6.1' },
      mqtt: () => ({ state: 'connected', url: 'mqtt://127.0.0.1:1883', published: 317, dropped: { 'outbox-full': 3 } }),
      eventLoop: {
        figures: () => ({ samples: 9, resolutionMs: 2, delayMs: { p50: 0.12, p99: 0.4, max: 3.1 } }),
        reset: () => undefined,
        stop: () => undefined,
      },
      process: { sample: async () => undefined, figures: () => ({ rssBytes: 180e6, heapBytes: 30e6, pssBytes: 120e6, fds: 42 }) },
    },
  );
}

/** Some seconds of a drive with everything in it: late, dropped and failed jobs, a lost core, a refused frame. Advances the clock by 5 s. */
export function drive(telemetry: Telemetry, clock: SimClock): void {
  const { ledger, cores, sources, decisions, incidents } = telemetry;
  let job = 0;
  const play = (stream: string, tookMs: number, outcome: Outcome): void => {
    job += 1;
    const capturedAt = instantUs(clock.now() - durationFromMs(tookMs));
    ledger.bookOf(stream).arrived(job, capturedAt, clock.now());
    ledger.ended(job, outcome, clock.now());
    decisions.step(durationFromMs(0.03), 2);
  };
  for (const core of [0, 1]) cores.state(core, 'ready', clock.now());
  cores.process(0, { pid: 4711, pssBytes: 157e6 });
  sources.bookOf('front').state('live');
  sources.bookOf('front').rejected('corrupt');
  ledger.refused('objects', 'corrupt');
  for (let round = 0; round < 40; round += 1) {
    clock.runFor(durationFromMs(125));
    play('objects', 60 + round / 4, { kind: 'done' });
    play('faces', round === 20 ? 90 : 10, { kind: round === 20 ? 'late' : 'done' });
    play('speech', 3, { kind: 'done' });
    play('lines', 0, round % 4 === 0 ? { kind: 'done' } : { kind: 'dropped', reason: 'superseded' });
    cores.segmentStarted(0, 'nanodet', clock.now());
    const startedAt = clock.now();
    clock.runFor(durationFromMs(50));
    cores.segmentEnded(0, { kind: 'done', startedAt, endedAt: clock.now() }, clock.now());
  }
  play('lines', 0, { kind: 'failed', reason: 'core-crashed' });
  cores.state(1, 'lost', clock.now());
  incidents.add({ kind: 'core-lost', core: 1, message: 'process 4711 ended by SIGKILL' });
  cores.state(1, 'starting', clock.now());
  cores.state(1, 'ready', clock.now());
  incidents.add({ kind: 'core-back', core: 1, message: 'ready after 210 ms' });
  cores.segmentStarted(0, 'nanodet', clock.now());
  clock.runFor(durationFromMs(40));
  ledger.bookOf('objects').arrived(job + 1, clock.now(), clock.now());
}

/** A runtime over real telemetry. `stops` lists how it was asked to stop; each answer waits for `finish`. */
export interface FakeRuntime extends Runtime {
  readonly telemetry: Telemetry;
  readonly stops: string[];
  finish(): void;
  end(): void;
}

export function fakeRuntime(clock: SimClock, node?: string): FakeRuntime {
  const telemetry = cockpitTelemetry(clock, node);
  const stops: string[] = [];
  let finish = (): void => undefined;
  let end = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    telemetry,
    stops,
    snapshot: telemetry.snapshot,
    onIncident: (listener) => telemetry.incidents.onIncident(listener),
    actions: undefined,
    http: undefined,
    stop: async (how) => {
      stops.push(how);
      if (how === 'drain') await finished;
      return telemetry.report();
    },
    ended,
    finish: () => finish(),
    end: () => end(),
  };
}

/** `run` only hands the configuration on. */
export const CONFIG = { node: 'cockpit' } as unknown as RuntimeConfig;
