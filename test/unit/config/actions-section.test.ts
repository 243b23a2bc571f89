import { describe, expect, it } from 'vitest';
import { effectiveConfig } from '../../../src/config/print-config.ts';
import { RIG_ACTIONS } from '../../support/action-rig.ts';
import { CONFIG, load, refusals } from '../../support/config-files.ts';

const others = { '/vehicle/configs/actions.yaml': RIG_ACTIONS };
const withActions = (rest: string, more = ''): string => `${CONFIG}${more}actions:\n  catalogue: ./actions.yaml\n${rest}`;

describe('the section actions', () => {
  it('is nothing when it is not there', () => {
    expect(load().actions).toBeUndefined();
    expect(effectiveConfig(load())).not.toHaveProperty('actions');
  });

  it('brings the catalogue, and defaults for the rest', () => {
    const { actions } = load({ config: withActions(''), others });
    expect(actions).toMatchObject({
      file: '/vehicle/configs/actions.yaml',
      topics: 'coxswain/vehicle',
      stateAgeMaxUs: 1_000_000,
      confirmWithinUs: 15_000_000,
      fromMqtt: [],
      audit: undefined,
    });
    expect(actions?.catalogue.actions.map(({ name }) => name)).toContain('open_door');
    expect(Object.isFrozen(actions?.catalogue.actions[0])).toBe(true);
  });

  it('is printed as it can be read again', () => {
    const config = load({
      config: withActions('  topics: car/body\n  fromMqtt: [say]\n  audit: { file: log/actions.jsonl }\n', 'mqtt: { prefix: fleet }\n'),
      others,
    });
    expect(effectiveConfig(config).actions).toEqual({
      catalogue: '/vehicle/configs/actions.yaml',
      topics: 'car/body',
      stateAgeMaxMs: 1000,
      confirmWithinMs: 15_000,
      fromMqtt: ['say'],
      audit: { file: '/vehicle/configs/log/actions.jsonl', bytesMax: 10_485_760, filesMax: 5 },
    });
  });

  it.each([
    ['an action that the catalogue does not have', '  fromMqtt: [sai]\n', '', `"sai" is no action of the catalogue; did you mean 'say'?`],
    ['an action of class B for MQTT', '  fromMqtt: [open_door]\n', '', 'is of class B; allowed is class A'],
    ['an action that is not for passengers for MQTT', '  fromMqtt: [set_speed_sign]\n', '', 'is not for a passenger'],
    ['topics of this node', '  topics: coxswain/bench\n', '', "this node's own topics"],
    ['no broker', '', 'mqtt: { broker: none }\n', 'mqtt.broker is none; name a broker'],
    ['a wildcard', '  topics: car/#\n', '', '1 to 4 levels'],
    ['a misspelt key', '  stateAgeMs: 5\n', '', "did you mean 'stateAgeMaxMs'?"],
  ])('is refused with %s', (_, rest, more, text) => {
    expect(refusals({ config: withActions(rest, more), others })).toContainEqual(expect.stringContaining(text));
  });

  it('points into the catalogue where the mistake is there, and to the key where the file is not', () => {
    const bad = { '/vehicle/configs/actions.yaml': RIG_ACTIONS.replace('gear: [P]', 'gear: [Q]') };
    expect(refusals({ config: withActions(''), others: bad })).toContainEqual(
      expect.stringMatching(/^actions\.yaml:\d+:\d+: actions\.open_door\.requires\.gear: gear is never "Q"/),
    );
    expect(refusals({ config: withActions('') })).toContainEqual(expect.stringMatching(/^bench\.yaml:.*the catalogue cannot be read/));
  });
});
