import type { IPublishPacket } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { durationFromMs } from '../../../src/core/units.ts';
import { hasProgram } from '../../support/has-program.ts';
import { brokerFolder, removeFolder, startMosquitto } from './mosquitto-broker.ts';
import { freePort, observe, openLink, startFakeBroker, until } from './peers.ts';

const leavers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const leave of leavers.splice(0).reverse()) await leave();
});

describe.skipIf(!hasProgram('mosquitto'))('a link that receives, over MQTT 5 (needs mosquitto)', () => {
  it('hears what is new and not what was retained, and sends with expiry, response topic and correlation', async () => {
    const folder = brokerFolder();
    leavers.push(async () => removeFolder(folder));
    const port = await freePort();
    const url = `mqtt://127.0.0.1:${port}`;
    const broker = await startMosquitto(folder, [`listener ${port} 127.0.0.1`, 'allow_anonymous true'], [port]);
    leavers.push(async () => broker.stop());
    const observer = await observe(url, { protocolVersion: 5 }, 'car/action/#');
    leavers.push(() => observer.client.endAsync(true));
    const packets: IPublishPacket[] = [];
    observer.client.on('message', (_topic, _payload, packet) => packets.push(packet));
    await observer.client.publishAsync('car/state', 'old', { qos: 1, retain: true });
    const { link } = openLink(url, { receives: true });
    leavers.push(() => link.close(durationFromMs(200)));
    const heard: string[] = [];
    link.subscribe('car/state', ({ payload }) => heard.push(new TextDecoder().decode(payload)));
    await until('the link is connected', () => link.state.kind === 'connected');
    await until('a new report is heard', () => {
      observer.client.publish('car/state', 'new', { qos: 0 });
      return heard.length > 0;
    });
    expect(heard).not.toContain('old');
    const properties = { expirySeconds: 2, responseTopic: 'car/answer/car7', correlation: 'p1' };
    expect(link.sendNow({ topic: 'car/action/heat', payload: { id: 'p1' }, properties })).toBe(true);
    await until('the command arrives', () => packets.length > 0);
    expect(packets[0]?.properties).toMatchObject({ messageExpiryInterval: 2, responseTopic: 'car/answer/car7' });
    expect(String(packets[0]?.properties?.correlationData)).toBe('p1');
    expect(packets[0]).toMatchObject({ qos: 0, retain: false });
  });
});

describe('a link that receives', () => {
  it('ends the connection of a broker that sends what would have to be stored', async () => {
    // PUBLISH with QoS 2 to "a", packet id 1, no properties, no payload.
    const broker = await startFakeBroker((socket) =>
      socket.once('data', () => socket.write(Buffer.from([0x20, 3, 0, 0, 0, 0x34, 6, 0, 1, 0x61, 0, 1, 0]))),
    );
    leavers.push(() => broker.close());
    const { link, reasons } = openLink(broker.url, { receives: true });
    leavers.push(() => link.close(durationFromMs(50)));
    await until('the link leaves', () => reasons().length > 0);
    expect(reasons()[0]).toBe('malformed-packet');
  });
});
