import type { EventPayload, HealthPayload, ResultPayload, TelemetryPayload } from '../../../src/mqtt/payloads.ts';

export const health = (rssBytes = 1): HealthPayload => ({
  node: 'car7',
  wallMs: 1,
  atUs: 1,
  state: 'nominal',
  problems: [],
  cores: [{ id: 0, state: 'ready', busyRatio: 0.5, restarts: 0 }],
  streams: [
    { id: 'front', criticality: 'safety', arrived: 3, done: 2, late: 0, dropped: 1, rejected: 0, failed: 0, latencyP99Us: 12_000 },
    { id: 'ocr', criticality: 'background', arrived: 0, done: 0, late: 0, dropped: 0, rejected: 0, failed: 0 },
  ],
  sources: [{ id: 'camera', state: 'live' }],
  rssBytes,
});

export const event = (message = 'core 0 crashed', kind = 'core-lost'): EventPayload => ({
  node: 'car7',
  kind,
  wallMs: 1,
  atUs: 5,
  severity: 'error',
  message,
  data: { core: 0, reason: 'core-crashed', restarted: true, pid: null },
});

export const result = (pipeline = 'front', text = 'person'): ResultPayload => ({
  node: 'car7',
  pipeline,
  job: 1,
  source: 'camera',
  sequence: 9,
  model: 'nanodet',
  wallMs: 1,
  capturedAtUs: 4,
  ageUs: 900,
  isLate: false,
  items: [{ kind: 'object', label: text, score: 0.9, box: { x: 1, y: 2, width: 3, height: 4 } }],
});

export const telemetry = (group = 'cores', value = 1): TelemetryPayload => ({
  node: 'car7',
  group,
  wallMs: 1,
  samples: [{ atUs: 3, values: { busyRatio: value } }],
  droppedSamples: 0,
});
