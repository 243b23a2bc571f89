import { CRITICALITIES } from '../core/stream.ts';
import type { Snapshot } from '../telemetry/snapshot.ts';
import { formatElapsed } from './duration.ts';
import { formatMs, formatPercent, sumOf } from './figures-text.ts';
import { escapeText } from './terminal-text.ts';

/** What a run without a live table says first. */
export function bannerLines(snapshot: Snapshot, version: string): string[] {
  const { config, cores, streams, mqtt } = snapshot;
  const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
  return [
    `coxswain ${version}: node ${escapeText(config.node)}, ${escapeText(config.file)} (${config.sha256.slice(0, 12)})`,
    `${plural(cores.length, 'core')}, ${plural(streams.length, 'stream')}: ${streams.map(({ id }) => escapeText(id)).join(', ')}`,
    `mqtt ${mqtt.url === null ? 'off' : `${escapeText(mqtt.url)} ${escapeText(mqtt.state)}`}`,
  ];
}

/** Where to ask what. */
export const httpLine = (url: string): string =>
  `http ${escapeText(url)} for OpenAI clients, and: coxswain ask --url ${escapeText(url)} "what do you see"`;

/**
 * One line for the whole run, by class, whatever the number of streams:
 * `   0:05  safety 115 done, worst p99 71 ms | background 9 done, 31 dropped | cores 0 71 %, 1 lost`
 */
export function progressLine(snapshot: Snapshot, elapsedMs: number): string {
  const classes = CRITICALITIES.map((criticality) => classText(criticality, snapshot)).filter((text) => text !== '');
  const cores = snapshot.cores.map(
    ({ id, state, busyRatioRecent }) => `${id} ${state === 'ready' ? formatPercent(busyRatioRecent) : state}`,
  );
  return `${formatElapsed(elapsedMs).padStart(7)}  ${[...classes, `cores ${cores.join(', ')}`].join(' | ')}`;
}

function classText(criticality: string, snapshot: Snapshot): string {
  const streams = snapshot.streams.filter((stream) => stream.criticality === criticality);
  if (streams.length === 0) return '';
  const total = (count: (jobs: (typeof streams)[number]['jobs']) => number): number =>
    streams.reduce((sum, { jobs }) => sum + count(jobs), 0);
  const counts: [number, string][] = [
    [total(({ late }) => late), 'late'],
    [total(({ dropped }) => sumOf(dropped)), 'dropped'],
    [total(({ rejected }) => sumOf(rejected)), 'rejected'],
    [total(({ failed }) => sumOf(failed)), 'failed'],
  ];
  const p99s = streams.map(({ latencyMs }) => latencyMs.p99).filter((value) => value !== null);
  return [
    `${criticality} ${total(({ done }) => done)} done`,
    ...counts.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}`),
    ...(p99s.length > 0 ? [`worst p99 ${formatMs(Math.max(...p99s))} ms`] : []),
  ].join(', ');
}
