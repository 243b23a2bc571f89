import type { LeafSource, SourceConfig } from '../config/source-config.ts';
import type { SourceId } from '../core/frame.ts';
import { IMAGES_DEFAULTS } from '../sources/images.ts';
import { MICROPHONE_DEFAULTS } from '../sources/microphone.ts';
import type { PlainSourceOptions, SourceOptions } from '../sources/registry.ts';
import type { TurnsSourceOptions } from '../sources/turns.ts';
import { VIDEO_DEFAULTS } from '../sources/video.ts';
import type { VideoInput } from '../sources/video-arguments.ts';
import type { WordsSourceOptions } from '../sources/words.ts';

/** A source as configured, in the words of sources/. */
export function sourceOptions(config: SourceConfig): SourceOptions {
  if (config.kind !== 'first-of') return plainOptions(config.id, config);
  return { kind: 'first-of', id: config.id, candidates: config.sources.map((leaf) => plainOptions(config.id, leaf)) };
}

function plainOptions(id: SourceId, config: LeafSource): PlainSourceOptions {
  switch (config.kind) {
    case 'images': {
      const { files, fps, width, height, pixelsMax, cacheBytes } = config;
      return { ...IMAGES_DEFAULTS, kind: 'images', id, paths: [files], fps, width, height, pixelsMax, cacheBytesMax: cacheBytes };
    }
    case 'video': {
      const { fps, width, height } = config;
      return { ...VIDEO_DEFAULTS, kind: 'video', id, input: videoInput(config.from), width, height, fps, policy: supervision(config) };
    }
    case 'wav': {
      const { file, windowSamples, isLooping, gapUs, secondsMax } = config;
      return { kind: 'wav', id, path: file, windowSamples, loop: isLooping, gapUs, secondsMax };
    }
    case 'microphone':
      return {
        ...MICROPHONE_DEFAULTS,
        kind: 'microphone',
        id,
        device: config.device,
        windowSamples: config.windowSamples,
        policy: supervision(config),
      };
    case 'synthetic': {
      const { fps, jitterRatio, burstRatio, burstFrames, framesMax } = config;
      return { kind: 'synthetic', id, fps, jitterRatio, burstRatio, burstFrames, ...(framesMax === undefined ? {} : { framesMax }) };
    }
    case 'turns':
      return turnsOptions(id, config);
    case 'words':
      return wordsOptions(id, config);
  }
}

export function turnsOptions(id: SourceId, config: Extract<LeafSource, { kind: 'turns' }>): TurnsSourceOptions {
  const { kind, periodUs, arrivals, promptTokens, answerTokens, followUpRatio, turnsMax } = config;
  return { kind, id, periodUs, arrivals, promptTokens, answerTokens, followUpRatio, ...(turnsMax === undefined ? {} : { turnsMax }) };
}

export function wordsOptions(id: SourceId, config: Extract<LeafSource, { kind: 'words' }>): WordsSourceOptions {
  const { kind, script, periodUs, isLooping, hearsMqtt } = config;
  return { kind, id, script, periodUs, isLooping, hearsOthers: hearsMqtt };
}

function videoInput(from: Extract<LeafSource, { kind: 'video' }>['from']): VideoInput {
  switch (from.kind) {
    case 'file':
      return { kind: 'file', path: from.file, loop: from.isLooping };
    case 'url':
      return { kind: 'rtsp', url: from.url.reveal() };
    case 'device':
      return { kind: 'v4l2', device: from.device };
  }
}

const supervision = (config: Extract<LeafSource, { kind: 'video' | 'microphone' }>) => ({
  staleAfterUs: config.stalledAfterUs,
  killAfterUs: config.killAfterUs,
  backoffFirstUs: config.restartDelayUs,
  backoffMaxUs: config.restartDelayMaxUs,
});
