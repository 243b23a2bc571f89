import { execFileSync } from 'node:child_process';
import type { DecisionCost } from './decision.ts';
import { type ResultSection, tableOf } from './result-section.ts';
import type { EventCost, SimulatorSpeed } from './simulator.ts';

/** Each measurement in a process of its own, so that none finds the heap or the compiled code of another. */
function measured<Result>(file: string, ...args: readonly string[]): Result {
  const text = execFileSync('node', ['--expose-gc', '--import', 'tsx', `tools/bench/${file}`, '--json', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(text) as Result;
}

const us = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
const kb = (bytes: number | undefined): string => (bytes === undefined ? '-' : String(Math.round(bytes / 1_000)));

function renderDecisions(): string {
  const rows = measured<readonly DecisionCost[]>('decision.ts');
  const [long] = measured<readonly DecisionCost[]>('decision.ts', '--row', '0', '--events', '10000000');
  return `What one event costs the scheduler, policy \`coxswain\`, four cores, a fifth of the streams safety and a fifth interactive, jobs always waiting; on one core of the machine that
wrote this page, garbage collection included. Aims: a P99 of at most 50 us with 64 ready jobs and of at most 200 us with 1 000, and a heap that does not grow over ten million events.

${tableOf(
  ['streams', 'ready jobs', 'of the bus, at most', 'p50 us', 'p99 us', 'p99.9 us', 'longest us', 'heap growth kB'],
  rows.map((row) => [
    String(row.streams),
    String(row.waitingJobs),
    row.busRatioMax === 0 ? 'not known' : String(row.busRatioMax),
    us(row.p50Us),
    us(row.p99Us),
    us(row.p999Us),
    us(row.maxUs),
    kb(row.heapGrowthBytes),
  ]),
)}

Over ${long?.events ?? 0} events with 64 ready jobs the live heap grew by ${kb(long?.heapGrowthBytes)} kB after the first tenth; p99 ${us(long?.p99Us ?? 0)} us.
Repeat: \`npm run build && node --expose-gc --import tsx tools/bench/decision.ts\`.`;
}

function renderSimulator(): string {
  const { vehicle, streams64, growth, overload } = measured<SimulatorSpeed>('simulator.ts');
  return `\`configs/vehicle-500.yaml\` on car-500: ${Math.round(vehicle.timesRealTime)} times real time, ${Math.round(vehicle.completionsPerSecond)} segments a second (aim: 1 000 times).
64 streams: ${Math.round(streams64.completionsPerSecond)} segments a second (aim: 300 000).

${tableOf(
  ['demand', 'streams', 'jobs ready', 'us an event', 'times that of 10', 'logarithm'],
  [...growth.map((row) => growthRow('what the cores can do', row)), ...overload.map((row) => growthRow('four times that', row))],
)}

Streams of the same demand together, so that only their number differs. Aim: the last but one column stays below the last. Repeat: \`npm run build && npx tsx tools/bench/simulator.ts\`.`;
}

const growthRow = (demand: string, { streams, ready, eventUs, ratio, logRatio }: EventCost): readonly string[] => [
  demand,
  String(streams),
  ready.toFixed(1),
  eventUs.toFixed(2),
  ratio.toFixed(2),
  String(logRatio),
];

export const decisionResults: ResultSection = { title: 'What a decision of the default policy costs', render: renderDecisions };
export const simulatorResults: ResultSection = { title: 'How fast the simulator is', render: renderSimulator };
