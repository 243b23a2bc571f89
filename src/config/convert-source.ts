import { type DurationUs, durationFromMs, durationUs, msFromDuration } from '../core/units.ts';
import type { LoadScope } from './load-scope.ts';
import type { KeyPath } from './problem.ts';
import { Secret, withoutUserInfo } from './secret.ts';
import type { LeafSource, Sound, SourceConfig, Supervision, VideoInput } from './source-config.ts';
import type { LeafSourceSection, SourceSection } from './source-schema.ts';

/** A busy machine leaves a capture child waiting that long, so that less says nothing about the camera. */
const STALLED_AFTER_MIN_MS = 250;
const KILL_AFTER_MIN_MS = 2000;

/** Every sample is at 16 kHz, the rate to which audio sources resample. */
const SAMPLE_RATE_HZ = 16_000;

/** `windowSamples`: what the models behind a source of sound take. */
export function convertSource(id: string, section: SourceSection, windowSamples: number, scope: LoadScope): SourceConfig {
  const sound: Sound = { windowSamples, periodUs: durationUs(Math.round((windowSamples * 1_000_000) / SAMPLE_RATE_HZ)) };
  const path: KeyPath = ['sources', id];
  if (section.kind !== 'first-of') return { id, ...convertLeaf(section, path, sound, scope) };
  const sources = section.sources.map((leaf, index) => convertLeaf(leaf, [...path, 'sources', index], sound, scope));
  const medium = sources[0]?.medium ?? 'empty';
  for (const [index, leaf] of sources.entries()) {
    if (leaf.medium !== medium) {
      scope.refuse(
        [...path, 'sources', index, 'kind'],
        `got ${leaf.kind} (${leaf.medium}); allowed is one medium, and the first is ${medium}`,
      );
    }
  }
  return { id, kind: 'first-of', medium, sources };
}

function convertLeaf(section: LeafSourceSection, path: KeyPath, sound: Sound, scope: LoadScope): LeafSource {
  switch (section.kind) {
    case 'video': {
      const { width, height } = section;
      const rate = rateOf(section.fps);
      const from = videoInput(section, path, scope);
      return { kind: 'video', medium: 'image', from, ...rate, width, height, ...supervision(section, rate.periodUs, path, scope) };
    }
    case 'images': {
      const { width, height, pixelsMax, loop } = section;
      const files = scope.absolute(section.files);
      return {
        kind: 'images',
        medium: 'image',
        files,
        ...rateOf(section.fps),
        width,
        height,
        isLooping: loop,
        pixelsMax,
        cacheBytes: section.cacheMb * 2 ** 20,
      };
    }
    case 'wav': {
      const file = scope.absolute(section.file);
      const gapUs = durationFromMs(section.gapMs);
      return { kind: 'wav', medium: 'audio', ...sound, file, isLooping: section.loop, gapUs, secondsMax: section.secondsMax };
    }
    case 'microphone':
      return {
        kind: 'microphone',
        medium: 'audio',
        ...sound,
        device: section.device,
        ...supervision(section, sound.periodUs, path, scope),
      };
    case 'synthetic':
      return {
        kind: 'synthetic',
        medium: 'empty',
        ...rateOf(section.fps),
        jitterRatio: section.jitterRatio,
        burstRatio: section.burstRatio,
        burstFrames: section.burstFrames,
        framesMax: section.framesMax,
      };
    case 'turns': {
      const { kind, perMinute, arrivals, promptTokens, answerTokens, followUpRatio, turnsMax } = section;
      const periodUs = durationUs(Math.round(60e6 / perMinute));
      const range = ([from, to]: readonly [number, number]) => ({ from, to });
      return {
        ...{ kind, medium: 'turn', perMinute, periodUs, arrivals, followUpRatio, turnsMax },
        promptTokens: range(promptTokens),
        answerTokens: range(answerTokens),
      };
    }
    case 'words': {
      const { kind, script, everyMs, loop, mqtt } = section;
      const lines = script.map(({ text, from }) => ({ text, provenance: from }));
      return { kind, medium: 'turn', script: lines, periodUs: durationFromMs(everyMs), isLooping: loop, hearsMqtt: mqtt };
    }
  }
}

function rateOf(fps: number): { readonly fps: number; readonly periodUs: DurationUs } {
  return { fps, periodUs: durationUs(Math.round(1_000_000 / fps)) };
}

interface SupervisionSection {
  readonly stalledAfterMs?: number | undefined;
  readonly killAfterMs?: number | undefined;
  readonly restartDelayMs: number;
  readonly restartDelayMaxMs: number;
}

function supervision(section: SupervisionSection, periodUs: DurationUs, path: KeyPath, scope: LoadScope): Supervision {
  const { restartDelayMs, restartDelayMaxMs } = section;
  if (restartDelayMaxMs < restartDelayMs) {
    scope.refuse([...path, 'restartDelayMaxMs'], `got ${restartDelayMaxMs}; allowed is restartDelayMs (${restartDelayMs}) or more`);
  }
  const periodMs = msFromDuration(periodUs);
  const stalledAfterMs = section.stalledAfterMs ?? Math.max(STALLED_AFTER_MIN_MS, 3 * periodMs);
  const killAfterMs = section.killAfterMs ?? Math.max(KILL_AFTER_MIN_MS, 10 * periodMs, stalledAfterMs);
  if (killAfterMs < stalledAfterMs) {
    scope.refuse([...path, 'killAfterMs'], `got ${killAfterMs}; allowed is stalledAfterMs (${stalledAfterMs}) or more`);
  }
  return {
    stalledAfterUs: durationFromMs(stalledAfterMs),
    killAfterUs: durationFromMs(killAfterMs),
    restartDelayUs: durationFromMs(restartDelayMs),
    restartDelayMaxUs: durationFromMs(restartDelayMaxMs),
  };
}

function videoInput(section: Extract<LeafSourceSection, { kind: 'video' }>, path: KeyPath, scope: LoadScope): VideoInput {
  if (section.file !== undefined) return { kind: 'file', file: scope.absolute(section.file), isLooping: section.loop };
  if (section.device !== undefined) {
    if (section.device.split('/').includes('..')) {
      scope.refuse([...path, 'device'], `got "${section.device}"; allowed is a path under /dev without ".."`);
    }
    return { kind: 'device', device: section.device };
  }
  const url = scope.interpolated([...path, 'url'], section.url ?? '');
  // Other schemes would let ffmpeg read local files or speak to hosts in protocols that a camera has no use for.
  if (url !== '' && !/^rtsps?:\/\/[^\s]+$/i.test(url)) {
    scope.refuse([...path, 'url'], 'got another kind of address; allowed is rtsp://... or rtsps://... without blanks');
  }
  return { kind: 'url', url: new Secret(url, withoutUserInfo(url)) };
}
