import { describe, expect, it } from 'vitest';
import { printConfig } from '../../../src/config/print-config.ts';
import { CONFIG, load, refusals, type Written } from '../../support/config-files.ts';

const withMqtt = (mqtt: string, more: Written = {}): Written => ({ ...more, config: `${CONFIG}mqtt: { ${mqtt} }\n` });
const mqttOf = (mqtt: string, more: Written = {}) => load(withMqtt(mqtt, more)).mqtt;
const refusal = (mqtt: string, more: Written = {}): string => refusals(withMqtt(mqtt, more)).join('\n');

describe('the broker', () => {
  it('is embedded, none or an address', () => {
    expect(mqttOf('').broker).toEqual({ kind: 'embedded', port: 0 });
    expect(mqttOf('port: 1883').broker).toEqual({ kind: 'embedded', port: 1883 });
    expect(mqttOf('broker: none').broker).toEqual({ kind: 'none' });
    expect(mqttOf('broker: "mqtt://host:1883/"').broker).toEqual({ kind: 'external', url: 'mqtt://host:1883' });
    expect(mqttOf('broker: "mqtts://[::1]:8883"').broker).toEqual({ kind: 'external', url: 'mqtts://[::1]:8883' });
    expect(mqttOf(`broker: "\${B:-mqtt://x}"`, { env: { B: 'mqtt://y:1' } }).broker).toEqual({ kind: 'external', url: 'mqtt://y:1' });
  });

  it.each(['http://host', 'host:1883', 'mqtt://', 'mqtt://host/path', 'mqtt://host?x=1', 'embeded', 'mqtt://host:99999', '//host'])(
    'is refused as %s',
    (broker) => {
      expect(refusal(`broker: "${broker}"`)).toMatch(
        /^bench\.yaml:16:\d+: mqtt\.broker: got something else; allowed are embedded, none, mqtt:/,
      );
    },
  );

  it('is refused with a user or a password in the address, without quoting it', () => {
    expect(refusal('broker: "mqtt://bob:hunter2@host"')).toBe(
      'bench.yaml:16:17: mqtt.broker: got an address with a user or a password; put them into username and password',
    );
  });
});

describe('the password', () => {
  it('comes from the file itself, the environment or another file', () => {
    expect(mqttOf('password: plain').password?.reveal()).toBe('plain');
    expect(mqttOf(`password: "\${PW}"`, { env: { PW: 'fromenv' } }).password?.reveal()).toBe('fromenv');
    const others = { '/vehicle/configs/pw': 'fromfile\n', '/run/pw': 'absolute\r\n' };
    expect(mqttOf('password: "file:pw"', { others }).password?.reveal()).toBe('fromfile');
    expect(mqttOf(`password: "file:\${WHERE}/pw"`, { others, env: { WHERE: '/run' } }).password?.reveal()).toBe('absolute');
  });

  it('is none when it is empty, and so is the user name', () => {
    expect(mqttOf(`username: "\${U:-}", password: "\${P:-}"`)).toMatchObject({ username: undefined, password: undefined });
  });

  it('is never shown', () => {
    const config = load(withMqtt('username: bob, password: hunter2'));
    expect(printConfig(config)).toContain('password: "***"');
    expect(printConfig(config) + JSON.stringify(config)).not.toContain('hunter2');
  });

  it('is refused when its variable or its file is missing, at its place', () => {
    expect(refusal(`password: "\${PW}"`)).toBe(
      `bench.yaml:16:19: mqtt.password: the environment variable PW is not set; set it or write \${PW:-default}`,
    );
    expect(refusal('password: "file:none"')).toContain('mqtt.password: the secret cannot be read: cannot open');
  });

  it('is not shown when something else about it is wrong', () => {
    const long = 'hunter2'.repeat(600);
    const mistakes = ['password: [hunter2]', 'password: 7777777', 'pasword: hunter2', 'password: "hunter2\\u0000"', `password: "${long}"`];
    for (const written of mistakes) {
      const text = refusal(written);
      expect(text).toMatch(/mqtt\.pass?word/);
      expect(text).not.toMatch(/hunter2|7777777/);
    }
  });

  it('is not interpolated elsewhere', () => {
    expect(refusal(`prefix: "\${P:-x}"`)).toContain(`mqtt.prefix: got "\${P:-x}"; allowed is`);
  });
});

describe('topics', () => {
  it.each(['a', 'a/b', 'fleet/de/car-1_x', Array(8).fill('a').join('/')])('may begin with %s', (prefix) => {
    expect(mqttOf(`prefix: ${prefix}`).prefix).toBe(prefix);
  });

  it.each(['/a', 'a/', 'a//b', 'a/+', '#', '$SYS', 'a b', Array(9).fill('a').join('/'), 'a'.repeat(65)])(
    'may not begin with %s',
    (prefix) => {
      expect(refusal(`prefix: "${prefix}"`)).toContain('mqtt.prefix: got');
    },
  );

  it('are published at most ten times a second', () => {
    expect(mqttOf('telemetryHz: 10').telemetryPeriodUs).toBe(100_000);
    expect(refusal('telemetryHz: 10.1')).toContain('mqtt.telemetryHz: got 10.1; allowed is a number from 0.1 to 10 Hz');
  });
});
