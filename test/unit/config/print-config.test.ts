import { describe, expect, it } from 'vitest';
import { printConfig } from '../../../src/config/print-config.ts';
import { CONFIG, edited, load } from '../../support/config-files.ts';

describe('printConfig', () => {
  const everything = edited(
    'sources:\n',
    `sources:
  film: { kind: first-of, sources: [{ kind: video, file: a.avi, loop: false, fps: 7, width: 9, height: 8 }, { kind: video, device: /dev/video0, fps: 30, width: 9, height: 8 }] }
  live: { kind: video, url: "rtsp://cam/1", fps: 12.5, width: 9, height: 8, stalledAfterMs: 333.333 }
  voice: { kind: microphone, device: "plughw:1" }
  zeros: { kind: synthetic, fps: 3, framesMax: 5, burstRatio: 0.25 }
`,
    `${CONFIG}mqtt: { broker: "mqtts://host:8883", username: bob, telemetryHz: 3 }\nruntime: { arenaMb: 64, hardTimeout: { factor: 2.5 } }\nscheduler: { tuning: { drop: expired, victim: value } }\n`,
  );

  it.each([
    ['a small one', CONFIG],
    ['one of everything', everything],
  ])('prints what loads to the same configuration again: %s', (_, config) => {
    const { origin: before, ...first } = load({ config });
    const { origin: after, ...second } = load({ config: printConfig(load({ config })) });
    expect(second).toEqual(first);
    expect(Object.keys(after.positions).length).toBeGreaterThan(Object.keys(before.positions).length);
  });

  it('prints milliseconds, absolute paths and defaults', () => {
    const text = printConfig(load());
    expect(text).toContain('deadlineMs: 125\n');
    expect(text).toContain('files: /vehicle/photos/*.jpg');
    expect(text).toContain('models: /vehicle/configs/models.yaml');
    expect(text).toContain('telemetryHz: 2');
    expect(text).not.toMatch(/Us:|undefined|null/);
  });
});
