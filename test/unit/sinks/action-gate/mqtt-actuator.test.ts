import { describe, expect, it } from 'vitest';
import { assert } from '../../../../src/core/assert.ts';
import { SimClock } from '../../../../src/core/sim-clock.ts';
import { instantUs } from '../../../../src/core/units.ts';
import type { DirectMessage } from '../../../../src/mqtt/link-options.ts';
import type { InboundMessage } from '../../../../src/mqtt/session.ts';
import type { ActionCommand, ActuatorAnswer } from '../../../../src/sinks/action-gate/actuator.ts';
import { createMqttActuator } from '../../../../src/sinks/action-gate/mqtt-actuator.ts';
import { createActionRig } from '../../../support/action-rig.ts';

function setUp() {
  const clock = new SimClock(instantUs(0), 5_000);
  const sent: DirectMessage[] = [];
  const answers: ActuatorAnswer[] = [];
  let listener: ((message: InboundMessage) => void) | undefined;
  let topic = '';
  const network = { isUp: true };
  const actuator = createMqttActuator(
    { topics: 'coxswain/vehicle', node: 'cockpit' },
    {
      clock,
      onAnswer: (answer) => answers.push(answer),
      link: {
        sendNow(message) {
          if (network.isUp) sent.push(message);
          return network.isUp;
        },
        subscribe(to, listens) {
          topic = to;
          listener = listens;
          return () => {
            listener = undefined;
          };
        },
      },
    },
  );
  const hear = (text: string, isRetained = false): void => listener?.({ topic, payload: new TextEncoder().encode(text), isRetained });
  return { actuator, sent, answers, hear, network, topic: () => topic };
}

function command(): ActionCommand {
  const rig = createActionRig();
  rig.gate.propose(rig.proposal('set_heat', { seat: 'left', level: 2 }));
  const [sent] = rig.sent;
  assert(sent !== undefined, 'the rig sends');
  return sent;
}

describe('a command over MQTT', () => {
  it('says what to do, until when, and where to answer', () => {
    const { actuator, sent } = setUp();
    expect(actuator.send(command())).toBe(true);
    expect(sent).toEqual([
      {
        topic: 'coxswain/vehicle/action/set_heat',
        payload: {
          id: 'p1',
          action: 'set_heat',
          arguments: { seat: 'left', level: 2 },
          issuedWallMs: 5_000,
          expiresWallMs: 6_000,
          answerTo: 'coxswain/vehicle/answer/cockpit',
        },
        properties: { expirySeconds: 1, responseTopic: 'coxswain/vehicle/answer/cockpit', correlation: 'p1' },
      },
    ]);
  });

  it('is not sent when the link cannot send it now', () => {
    const { actuator, network } = setUp();
    network.isUp = false;
    expect(actuator.send(command())).toBe(false);
  });
});

describe('an answer over MQTT', () => {
  it('is handed on', () => {
    const { answers, hear, topic } = setUp();
    expect(topic()).toBe('coxswain/vehicle/answer/cockpit');
    hear('{"id":"p1","state":"accepted","wallMs":5}');
    hear('{"id":"p1","state":"refused","detail":"no power"}');
    expect(answers).toEqual([
      { id: 'p1', state: 'accepted', detail: '' },
      { id: 'p1', state: 'refused', detail: 'no power' },
    ]);
  });

  it.each([
    '',
    'null',
    '{"id":"p1"}',
    '{"id":"p 1","state":"accepted"}',
    '{"id":"p1","state":"done"}',
    '{"id":"p1","state":"accepted","do":"it"}',
    `{"id":"p1","state":"accepted","detail":"${'x'.repeat(5_000)}"}`,
  ])('is none when it is %s', (text) => {
    const { actuator, answers, hear } = setUp();
    hear(text);
    expect(answers).toEqual([]);
    expect(actuator.malformed).toBe(1);
  });

  it('is none when the broker kept it, and none after the end', () => {
    const { actuator, answers, hear } = setUp();
    hear('{"id":"p1","state":"achieved"}', true);
    actuator.close();
    hear('{"id":"p1","state":"achieved"}');
    expect(answers).toEqual([]);
  });
});
