import { describe, expect, it } from 'vitest';
import { createTopics, isTopicSegment } from '../../../src/mqtt/topics.ts';

describe('topics', () => {
  it('builds every topic below prefix and node', () => {
    const topics = createTopics('fleet/berlin', 'car7');
    expect(topics.status).toBe('fleet/berlin/car7/status');
    expect(topics.health).toBe('fleet/berlin/car7/health');
    expect(topics.telemetry('cores')).toBe('fleet/berlin/car7/telemetry/cores');
    expect(topics.event('core-lost')).toBe('fleet/berlin/car7/event/core-lost');
    expect(topics.result('front_camera')).toBe('fleet/berlin/car7/result/front_camera');
  });

  it('takes a segment of 64 characters and refuses one of 65', () => {
    expect(isTopicSegment('a'.repeat(64))).toBe(true);
    expect(isTopicSegment('a'.repeat(65))).toBe(false);
  });

  it.each(['', '+', '#', 'a/b', '$SYS', 'a b', 'a\nb', 'ab\n', 'ü', '..', '\u0000', 'a\u0000'])('refuses the segment %j', (text) => {
    expect(isTopicSegment(text)).toBe(false);
    const topics = createTopics('coxswain', 'car7');
    expect(topics.telemetry(text)).toBeUndefined();
    expect(topics.event(text)).toBeUndefined();
    expect(topics.result(text)).toBeUndefined();
    expect(() => createTopics('coxswain', text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('takes a prefix of four levels and refuses one of five', () => {
    expect(createTopics('a/b/c/d', 'n').status).toBe('a/b/c/d/n/status');
    expect(() => createTopics('a/b/c/d/e', 'n')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it.each(['', '/', 'a/', '/a', 'a//b', 'a/+', '#'])('refuses the prefix %j', (prefix) => {
    expect(() => createTopics(prefix, 'n')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
