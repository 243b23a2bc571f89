import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../../src/config/config-files.ts';
import { loadActions } from '../../../../src/config/load-actions.ts';
import type { SignalValue } from '../../../../src/core/signal.ts';
import type { Ended } from '../../../../tools/machine-sim/machine-model.ts';
import { clearAhead, FLOOR } from '../../../../tools/robot-sim/floor.ts';
import { actOnRobot, createRobot, type Robot, robotSignals, stepRobot } from '../../../../tools/robot-sim/robot.ts';

const catalogue = loadActions(resolve(import.meta.dirname, '../../../../configs/actions/robot.yaml'), { files: createConfigFiles() });

type Values = Readonly<Record<string, SignalValue>>;

function act(robot: Robot, action: string, values: Values = {}, id = 'p1'): Robot {
  const acted = actOnRobot(robot, { id, action, values });
  if (acted.kind === 'refused') throw new Error(acted.detail);
  return acted.state;
}

function run(robot: Robot, seconds: number): { readonly robot: Robot; readonly ended: readonly Ended[] } {
  let next = robot;
  const ended = [...robot.ended];
  for (let step = 0; step < seconds * 20; step += 1) {
    next = stepRobot(next, 0.05);
    ended.push(...next.ended);
  }
  return { robot: next, ended };
}

const command = fc.oneof(
  fc.record({
    action: fc.constant('drive_distance'),
    values: fc.record<Values>({ direction: fc.constantFrom('forward', 'backward'), metres: fc.double({ min: 0.1, max: 5, noNaN: true }) }),
  }),
  fc.record({
    action: fc.constant('turn_by'),
    values: fc.record<Values>({ direction: fc.constantFrom('left', 'right'), degrees: fc.integer({ min: 5, max: 360 }) }),
  }),
  fc.record({
    action: fc.constant('go_to_place'),
    values: fc.record<Values>({ place: fc.constantFrom('kitchen', 'the Desk', '客厅', 'bedroom') }),
  }),
  fc.record({ action: fc.constantFrom('stop_motion', 'follow_person', 'return_to_dock'), values: fc.constant<Values>({}) }),
);

describe('the simulated robot', () => {
  it('never touches a wall or an obstacle and stays within its signals, whatever it is told', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(command, fc.integer({ min: 0, max: 12 })), { maxLength: 10 }), (commands) => {
        let robot = createRobot();
        for (const [{ action, values }, seconds] of commands) {
          robot = act(robot, action, values);
          for (let step = 0; step < seconds * 20; step += 1) {
            robot = stepRobot(robot, 0.05);
            expect(robot.x > FLOOR.west && robot.x < FLOOR.east && robot.y > FLOOR.south && robot.y < FLOOR.north).toBe(true);
            for (const { x, y, radius } of FLOOR.obstacles) expect(Math.hypot(robot.x - x, robot.y - y)).toBeGreaterThan(radius);
          }
        }
        const signals = robotSignals(robot);
        expect(Object.keys(signals).sort()).toEqual(catalogue.signals.map(({ name }) => name).sort());
        for (const signal of catalogue.signals) {
          const value = signals[signal.name];
          if (signal.type === 'number') expect(Number(value) >= signal.min && Number(value) <= signal.max).toBe(true);
          if (signal.type === 'enum') expect(signal.values).toContain(value);
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['forward', 2],
    ['backward', 0.5],
  ])('drives %s for %d m and says that it is there', (direction, metres) => {
    const { robot, ended } = run(act(createRobot(), 'drive_distance', { direction, metres }), 10);
    expect(Math.abs(robot.x - (direction === 'forward' ? metres : -metres))).toBeLessThan(0.1);
    expect(ended).toEqual([{ id: 'p1', state: 'achieved', detail: 'simulated' }]);
    expect(robotSignals(robot)).toMatchObject({ speedMps: 0 });
  });

  it.each([
    ['left', 90],
    ['right', 90],
    ['left', 360],
  ])('turns %s by %d degrees', (direction, degrees) => {
    const { robot, ended } = run(act(createRobot(), 'turn_by', { direction, degrees }), 15);
    const wanted = direction === 'left' ? degrees % 360 : -degrees % 360;
    expect(Math.abs(Number(robotSignals(robot).headingDeg) - wanted)).toBeLessThan(4);
    expect(ended[0]).toMatchObject({ state: 'achieved' });
  });

  it('stops before an obstacle and says why', () => {
    const { robot, ended } = run({ ...act({ ...createRobot(), x: 2, y: 1.8 }, 'drive_distance', { direction: 'forward', metres: 5 }) }, 15);
    expect(ended).toEqual([{ id: 'p1', state: 'refused', detail: 'an obstacle is in the way' }]);
    expect(robotSignals(robot)).toMatchObject({ motion: 'blocked', speedMps: 0 });
    expect(clearAhead(robot, 0, 4)).toBeGreaterThan(0.3);
  });

  it('goes to the desk and back to its dock, and charges there', () => {
    const there = run(act(createRobot(), 'go_to_place', { place: 'the desk' }), 40);
    expect(Math.hypot(there.robot.x - 6, there.robot.y - 0.5)).toBeLessThan(0.1);
    const back = run(act(there.robot, 'return_to_dock'), 40);
    expect(robotSignals(back.robot)).toMatchObject({ motion: 'docked' });
    expect(run(back.robot, 60).robot.batteryWh).toBeGreaterThan(back.robot.batteryWh);
  });

  it('gives up what it is about for what it is told now', () => {
    const driving = run(act(createRobot(), 'drive_distance', { direction: 'forward', metres: 5 }), 2).robot;
    const stopped = run(act(driving, 'stop_motion', {}, 'p2'), 2);
    expect(stopped.ended).toEqual([
      { id: 'p1', state: 'refused', detail: 'another command came' },
      { id: 'p2', state: 'achieved', detail: 'simulated' },
    ]);
    expect(robotSignals(stopped.robot)).toMatchObject({ speedMps: 0, motion: 'standing' });
  });

  it('moves no wheel while its button is pressed', () => {
    const pressed = createRobot(true);
    expect(actOnRobot(pressed, { id: 'p', action: 'turn_by', values: { direction: 'left', degrees: 90 } })).toMatchObject({
      kind: 'refused',
    });
    const { robot } = run({ ...act(createRobot(), 'drive_distance', { direction: 'forward', metres: 5 }), emergencyStop: true }, 2);
    expect(robot.x).toBe(0);
  });

  it('knows no place that the map does not have, nor an action that it does not', () => {
    for (const place of ['moon', 'constructor', ''])
      expect(actOnRobot(createRobot(), { id: 'p', action: 'go_to_place', values: { place } })).toMatchObject({ kind: 'refused' });
    expect(actOnRobot(createRobot(), { id: 'p', action: 'release_emergency_stop', values: {} })).toMatchObject({ kind: 'refused' });
  });
});
