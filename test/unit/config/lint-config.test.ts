import { describe, expect, it } from 'vitest';
import { formatWarning, lintConfig } from '../../../src/config/lint-config.ts';
import { CONFIG, edited, load, MANIFEST, type Written } from '../../support/config-files.ts';

const warnings = (written: Written = {}): readonly string[] =>
  lintConfig(load(written)).map((warning) => formatWarning(warning).replace('/vehicle/configs/', ''));
const only = (config: string): string => {
  const found = warnings({ config });
  expect(found).toHaveLength(1);
  return found[0] ?? '';
};

describe('lintConfig', () => {
  it('has nothing to say about a sound configuration', () => {
    expect(warnings()).toEqual([]);
  });

  it('warns of a deadline shorter than its model takes, and not of one just as long', () => {
    expect(only(edited('deadlineMs: 125', 'deadlineMs: 19.9'))).toBe(
      'bench.yaml:13:75: pipelines.boxes.deadlineMs: 19.9 ms is shorter than the 20 ms that one job of finder takes; every job will be dropped as infeasible',
    );
    expect(warnings({ config: edited('deadlineMs: 125', 'deadlineMs: 20') })).toEqual([]);
  });

  it('warns of a deadline that the parent alone uses up', () => {
    expect(only(edited('deadlineMs: 900', 'deadlineMs: 30, freshness: { queue: 2 }'))).toContain(
      'pipelines.texts.deadlineMs: counts from capture, and boxes alone takes 20 ms of it',
    );
    expect(warnings({ config: edited('deadlineMs: 900', 'deadlineMs: 30.5, freshness: { queue: 2 }') })).toEqual([]);
  });

  it('warns of a server for clients that have nothing to ask', () => {
    expect(only(`${CONFIG}http: {}\n`)).toContain('http: no pipeline runs a language model');
  });

  it('warns of staleAfterMs past the deadline', () => {
    expect(only(edited('deadlineMs: 125', 'deadlineMs: 125, staleAfterMs: 126'))).toContain(
      'pipelines.boxes.staleAfterMs: longer than deadlineMs (125)',
    );
    expect(warnings({ config: edited('deadlineMs: 125', 'deadlineMs: 125, staleAfterMs: 125') })).toEqual([]);
  });

  it('warns of a queue with more work than its deadline, and of latest for a model with a memory', () => {
    expect(only(edited('deadlineMs: 125', 'deadlineMs: 125, freshness: { queue: 7 }'))).toContain(
      'the last of 7 waiting jobs has 140 ms of work before it',
    );
    expect(warnings({ config: edited('deadlineMs: 125', 'deadlineMs: 125, freshness: { queue: 6 }') })).toEqual([]);
    expect(only(edited('deadlineMs: 100', 'deadlineMs: 100, freshness: latest'))).toContain(
      'pipelines.speech.freshness: listener remembers earlier frames',
    );
  });

  it('warns of a source that nobody takes', () => {
    expect(only(edited('sources:\n', 'sources:\n  spare: { kind: synthetic, fps: 1 }\n'))).toContain(
      'bench.yaml:10:3: sources.spare: no pipeline takes this source',
    );
  });

  it('warns of a core whose own safety streams are more than it can do', () => {
    // 20 ms at 51 fps is 102 %.
    expect(only(edited('deadlineMs: 125', 'deadlineMs: 125, cores: [1]', edited('fps: 8', 'fps: 51')))).toContain(
      'bench.yaml:8:7: device.cores[1]: its own safety streams would keep it busy 102 %',
    );
    expect(warnings({ config: edited('deadlineMs: 125', 'deadlineMs: 125, cores: [1]', edited('fps: 8', 'fps: 50')) })).toEqual([]);
  });

  it('warns of safety streams that need more cores than there are', () => {
    expect(only(edited('fps: 8', 'fps: 101'))).toContain('device.cores: all safety streams together need 2.02 cores, and there are 2');
    expect(warnings({ config: edited('fps: 8', 'fps: 100') })).toEqual([]);
    expect(warnings({ config: edited('fps: 8', 'fps: 101', edited('safety', 'background')) })).toEqual([]);
  });

  it('warns of a stateful safety stream that its one core cannot keep up with', () => {
    const manifest = edited('costMs: 0.5', 'costMs: 33', MANIFEST);
    const config = edited('interactive, deadlineMs: 100', 'safety, deadlineMs: 300');
    expect(warnings({ config, manifest })).toEqual([expect.stringContaining('pipelines.speech.model: its one core would be busy 103 %')]);
  });

  it('warns of two cores on one CPU', () => {
    expect(only(edited('{ niceness: 5 }', '{ cpu: 1 }'))).toContain('bench.yaml:8:14: device.cores[1].cpu: core 0 is pinned to CPU 1 too');
  });

  it('does not warn of a core that only has what others on its CPU leave', () => {
    expect(warnings({ config: edited('{ niceness: 5 }', '{ cpu: 1, idle: true }') })).toEqual([]);
  });

  it('warns of a stream with a promise on a core that only has what others leave', () => {
    const idle = edited('{ niceness: 5 }', '{ idle: true }');
    const pinned = edited('criticality: safety, deadlineMs: 125', 'criticality: safety, deadlineMs: 125, cores: [0]', idle);
    expect(only(pinned)).toContain('pipelines.boxes.cores: core 0 is idle');
  });

  it('warns of a model larger than every core it may run on', () => {
    const small = edited('{ niceness: 5 }', '{ memoryMb: 99 }');
    expect(warnings({ config: small })).toEqual([]);
    expect(only(edited('deadlineMs: 125', 'deadlineMs: 125, cores: [0]', small))).toContain(
      'pipelines.boxes.model: takes 100 MiB, more than any core it may run on has (99 MiB)',
    );
  });

  it('warns of an arena too small for its frames', () => {
    expect(only(`${CONFIG}runtime: { arenaMb: 1 }\n`)).toMatch(/runtime\.arenaMb: frames and tensors need at least 2 MiB/);
  });

  it('warns of a hard timeout that kills every run', () => {
    expect(only(`${CONFIG}runtime: { hardTimeout: { floorMs: 1, ceilingMs: 19 } }\n`)).toContain(
      'runtime.hardTimeout.ceilingMs: shorter than the 20 ms that finder takes',
    );
  });

  it('warns of what a broker does not use, or should not be told', () => {
    expect(only(`${CONFIG}mqtt: { username: bob }\n`)).toContain('mqtt.username: not used with broker embedded');
    expect(only(`${CONFIG}mqtt: { broker: "mqtt://far:1883", username: bob, password: x }\n`)).toContain(
      'mqtt.broker: the password is sent without encryption',
    );
    expect(warnings({ config: `${CONFIG}mqtt: { broker: "mqtt://localhost:1883", username: bob, password: x }\n` })).toEqual([]);
    expect(only(`${CONFIG}mqtt: { broker: "mqtts://far", port: 1 }\n`)).toContain('mqtt.port: only the embedded broker takes it');
    expect(only(edited('deadlineMs: 125', 'deadlineMs: 125, sinks: [mqtt]', `${CONFIG}mqtt: { broker: none }\n`))).toContain(
      'pipelines.boxes.sinks: mqtt is a sink, but mqtt.broker is none',
    );
  });

  it('orders its warnings by line', () => {
    const config = edited(
      'deadlineMs: 125',
      'deadlineMs: 125, staleAfterMs: 126',
      edited('sources:\n', 'sources:\n  spare: { kind: synthetic, fps: 1 }\n'),
    );
    expect(warnings({ config }).map((line) => line.split(':')[1])).toEqual(['10', '14']);
  });
});
