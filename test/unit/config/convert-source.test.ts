import { describe, expect, it } from 'vitest';
import { effectiveConfig } from '../../../src/config/print-config.ts';
import { CONFIG, edited, load, refusals } from '../../support/config-files.ts';

const FRONT = '{ kind: images, files: ../photos/*.jpg, fps: 8, width: 640, height: 480 }';
const withFront = (source: string): string => edited(FRONT, source);
const frontOf = (source: string, env = {}) => load({ config: withFront(source), env }).sources[0];
const refusal = (source: string, env = {}): string => refusals({ config: withFront(source), env })[0] ?? '';

const SIZE = 'fps: 20, width: 320, height: 240';

describe('a video source', () => {
  it('takes a file, an address or a device', () => {
    expect(frontOf(`{ kind: video, file: a.avi, loop: false, ${SIZE} }`)).toMatchObject({
      medium: 'image',
      periodUs: 50_000,
      from: { kind: 'file', file: '/vehicle/configs/a.avi', isLooping: false },
    });
    expect(frontOf(`{ kind: video, device: /dev/v4l/by-id/usb-1, ${SIZE} }`)).toMatchObject({
      from: { kind: 'device', device: '/dev/v4l/by-id/usb-1' },
    });
    expect(frontOf(`{ kind: video, url: "rtsps://camera/1", ${SIZE} }`)).toMatchObject({ from: { kind: 'url' } });
  });

  it('is refused with none of them or two', () => {
    expect(refusal(`{ kind: video, ${SIZE} }`)).toContain(
      'sources.front: got a mapping; allowed is exactly one of the keys file, url, device',
    );
    expect(refusal(`{ kind: video, file: a, device: /dev/video0, ${SIZE} }`)).toContain('exactly one of the keys');
  });

  it('stalls after three periods and is killed after ten, but never early', () => {
    expect(frontOf(`{ kind: video, file: a, ${SIZE} }`)).toMatchObject({ stalledAfterUs: 250_000, killAfterUs: 2_000_000 });
    expect(frontOf('{ kind: video, file: a, fps: 0.5, width: 1, height: 1 }')).toMatchObject({
      stalledAfterUs: 6_000_000,
      killAfterUs: 20_000_000,
    });
    expect(frontOf(`{ kind: video, file: a, stalledAfterMs: 5000, ${SIZE} }`)).toMatchObject({
      stalledAfterUs: 5_000_000,
      killAfterUs: 5_000_000,
    });
    expect(refusal(`{ kind: video, file: a, stalledAfterMs: 5000, killAfterMs: 4999, ${SIZE} }`)).toContain(
      'killAfterMs: got 4999; allowed is stalledAfterMs (5000) or more',
    );
    expect(refusal(`{ kind: video, file: a, restartDelayMs: 100, restartDelayMaxMs: 99, ${SIZE} }`)).toContain(
      'restartDelayMaxMs: got 99; allowed is restartDelayMs (100) or more',
    );
  });

  it('keeps the password of a camera out of sight', () => {
    const config = load({ config: withFront(`{ kind: video, url: "\${CAMERA}", ${SIZE} }`), env: { CAMERA: 'rtsp://bob:hunter2@cam/1' } });
    const [front] = config.sources;
    expect(front?.kind === 'video' && front.from.kind === 'url' ? front.from.url.reveal() : '').toBe('rtsp://bob:hunter2@cam/1');
    expect(JSON.stringify(config)).not.toContain('hunter2');
    expect(effectiveConfig(config)).toMatchObject({ sources: { front: { url: 'rtsp://***@cam/1' } } });
  });

  it.each(['http://host/x', 'file:///etc/passwd', 'concat:/a|/b', 'rtsp://a b', 'rtsp://', '/etc/passwd', 'bob:hunter2'])(
    'is refused for the address %s',
    (url) => {
      const text = refusal(`{ kind: video, url: "${url}", ${SIZE} }`);
      expect(text).toContain('sources.front.url: got another kind of address; allowed is rtsp://');
      expect(text).not.toContain('hunter2');
    },
  );

  it.each(['video0', '/etc/passwd', '/dev/../etc/passwd', '/dev/', '-i'])('is refused for the device %s', (device) => {
    expect(refusal(`{ kind: video, device: "${device}", ${SIZE} }`)).toMatch(
      /sources\.front\.device: got .*; allowed is a path under \/dev/,
    );
  });
});

describe('a source of sound', () => {
  it('has the window of the model that takes it', () => {
    const config = load({ config: edited('{ kind: wav, file: speech.wav }', '{ kind: microphone }') });
    expect(config.sources[1]).toMatchObject({
      kind: 'microphone',
      device: 'default',
      windowSamples: 512,
      periodUs: 32_000,
      stalledAfterUs: 250_000,
    });
  });

  it('is refused for a device that arecord would take for an option', () => {
    expect(refusals({ config: edited('{ kind: wav, file: speech.wav }', '{ kind: microphone, device: --help }') })[0]).toContain(
      'sources.sound.device: got "--help"; allowed is an ALSA device name',
    );
  });
});

describe('a first-of source', () => {
  const leaf = (rest: string): string => `{ kind: images, files: x, ${rest} }`;

  it('has the period of its fastest alternative for the streams behind it', () => {
    const config = load({
      config: withFront(`{ kind: first-of, sources: [${leaf('fps: 5, width: 1, height: 1')}, ${leaf('fps: 10, width: 1, height: 1')}] }`),
    });
    expect(config.pipelines[0]?.stream.periodUs).toBe(100_000);
    expect(config.sources[0]).toMatchObject({ kind: 'first-of', medium: 'image', sources: [{ periodUs: 200_000 }, { periodUs: 100_000 }] });
  });

  it('is refused when its alternatives give different things, when it is empty, and inside itself', () => {
    const mixed = `{ kind: first-of, sources: [${leaf(SIZE)}, { kind: wav, file: a }] }`;
    expect(refusal(mixed)).toContain('sources.front.sources[1].kind: got wav (audio); allowed is one medium, and the first is image');
    expect(refusal('{ kind: first-of, sources: [] }')).toContain(
      'sources.front.sources: got an empty list; allowed is a list of 1 to 8 items',
    );
    expect(refusal(`{ kind: first-of, sources: [{ kind: first-of, sources: [${leaf(SIZE)}] }] }`)).toContain(
      'allowed is one of video, images, wav, microphone, synthetic',
    );
  });
});

describe('a synthetic source', () => {
  it('feeds any model', () => {
    const text = '{ kind: synthetic, fps: 10 }';
    const config = load({ config: edited(FRONT, text, edited('{ kind: wav, file: speech.wav }', text, CONFIG)) });
    expect(config.pipelines.map(({ stream }) => stream.periodUs)).toEqual([100_000, 100_000, 25_000]);
  });
});
