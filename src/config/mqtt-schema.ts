import { z } from 'zod';
import { integerField, msField, numberField, patternField, textField } from './fields.ts';

export const mqttSchema = z
  .strictObject({
    broker: textField(
      `embedded: a broker in this process, on loopback only; none: no MQTT; or an address, mqtt://host:1883 or mqtts://host:8883. \${NAME} is replaced from the environment.`,
      2048,
    ).default('embedded'),
    port: integerField({ min: 0, max: 65_535 }, '', 'Loopback port of the embedded broker; 0 takes a free one.').default(0),
    prefix: patternField(
      /^[A-Za-z0-9_-]{1,64}(\/[A-Za-z0-9_-]{1,64}){0,7}$/,
      'up to 8 levels of letters, digits, "_" or "-", separated by "/"',
      'First levels of every topic: <prefix>/<node>/...',
    ).default('coxswain'),
    clientId: patternField(
      /^[A-Za-z0-9_-]{1,128}$/,
      '1 to 128 letters, digits, "_" or "-"',
      'Client identifier at the broker; unique among its clients. Default: coxswain-<node>.',
    ).optional(),
    username: textField(`User name at the broker. \${NAME} is replaced from the environment.`).optional(),
    password: textField(
      `Password at the broker. \${NAME} is replaced from the environment; file:<path> reads it from a file, relative to this one.`,
      4096,
    ).optional(),
    keepAliveMs: msField(
      { min: 1000, max: 65_535_000 },
      'Longest silence before the connection is probed; MQTT counts whole seconds.',
    ).default(15_000),
    connectTimeoutMs: msField({ min: 100, max: 600_000 }, 'A broker that has not answered by then is tried again later.').default(5000),
    reconnectDelayMs: msField(
      { min: 10, max: 600_000 },
      'Wait before the first attempt to reconnect; doubles with each further one.',
    ).default(500),
    reconnectDelayMaxMs: msField({ min: 10, max: 3_600_000 }, 'Longest wait between two attempts.').default(30_000),
    outbox: z
      .strictObject({
        itemsMax: integerField({ min: 1, max: 1_000_000 }, 'messages', 'At most this many messages wait.').default(2000),
        bytesMax: integerField({ min: 1024, max: 1_073_741_824 }, 'bytes', 'At most this many bytes of topics and payloads wait.').default(
          4_194_304,
        ),
      })
      .prefault({})
      .describe('Messages that wait for the broker. When it is full, state keeps its latest value and the oldest events are dropped.'),
    inboundBytesMax: integerField({ min: 128, max: 16_777_216 }, 'bytes', 'A longer packet from the broker ends the connection.').default(
      65_536,
    ),
    telemetryHz: numberField({ min: 0.1, max: 10 }, 'Hz', 'How often telemetry is published.').default(2),
  })
  .prefault({})
  .describe('The link to an MQTT broker. Whatever it does, no deadline depends on it.');

export type MqttSection = z.output<typeof mqttSchema>;
