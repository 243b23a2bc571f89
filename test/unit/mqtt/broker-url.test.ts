import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import { brokerUrlText, parseBrokerUrl } from '../../../src/mqtt/broker-url.ts';

describe('broker URL', () => {
  it.each([
    ['mqtt://broker', { protocol: 'mqtt', host: 'broker', port: 1883, path: '/' }],
    ['mqtt://10.0.0.1:1884/', { protocol: 'mqtt', host: '10.0.0.1', port: 1884, path: '/' }],
    ['mqtts://broker.example', { protocol: 'mqtts', host: 'broker.example', port: 8883, path: '/' }],
    ['ws://broker/mqtt', { protocol: 'ws', host: 'broker', port: 80, path: '/mqtt' }],
    ['wss://broker:9443/a/b', { protocol: 'wss', host: 'broker', port: 9443, path: '/a/b' }],
    ['mqtt://[::1]:1883', { protocol: 'mqtt', host: '::1', port: 1883, path: '/' }],
  ])('reads %s', (text, url) => {
    expect(parseBrokerUrl(text)).toEqual(url);
  });

  it.each([
    'mqtt://user:hunter2@broker',
    'mqtt://hunter2@broker',
    'http://hunter2',
    'mqtt:hunter2',
    'hunter2',
    'mqtt://broker/hunter2',
    'mqtt://broker?password=hunter2',
    'mqtt://broker#hunter2',
    'mqtt://broker:hunter2',
    'mqtt://broker:70000?hunter2',
    '',
  ])('refuses %j and does not repeat what may be secret', (text) => {
    let thrown: unknown;
    try {
      parseBrokerUrl(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CoxswainError);
    expect(thrown).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(String(thrown)).not.toContain('hunter2');
  });

  it('is written back without a secret', () => {
    expect(brokerUrlText(parseBrokerUrl('wss://broker:9443/a'))).toBe('wss://broker:9443/a');
    expect(brokerUrlText(parseBrokerUrl('mqtt://[::1]'))).toBe('mqtt://[::1]:1883');
  });
});
