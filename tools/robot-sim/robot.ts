import { type Acted, approach, type Call, type Ended, type MachineModel, rounded } from '../machine-sim/machine-model.ts';
import { clearAhead, DOCK, findPlace, type Point } from './floor.ts';

/** What the robot is about. `id` is the command that it came from. */
type Task =
  | { readonly kind: 'none' }
  | { readonly kind: 'drive'; readonly id: string /** Signed, negative is back. */; readonly leftM: number }
  | { readonly kind: 'turn'; readonly id: string /** Signed, positive is left. */; readonly leftRad: number }
  | { readonly kind: 'go' | 'dock'; readonly id: string; readonly to: Point }
  | { readonly kind: 'follow'; readonly id: string };

/** A small robot with two driven wheels, simulated; nothing in it was measured on a real one. */
export interface Robot {
  readonly atS: number;
  readonly x: number;
  readonly y: number;
  /** 0 is east, counterclockwise, -pi..pi. */
  readonly headingRad: number;
  /** Of the rims. */
  readonly wheelMps: { readonly left: number; readonly right: number };
  readonly task: Task;
  /** The last task ended before an obstacle. */
  readonly isBlocked: boolean;
  readonly emergencyStop: boolean;
  readonly batteryWh: number;
  readonly ended: readonly Ended[];
}

/** A walking pace, and the turn that goes with it. */
const SPEED_MAX_MPS = 0.6;
const TURN_MAX_RPS = 1.2;
const WHEEL_ACCELERATION_MPS2 = 0.8;
/** With the brakes of the emergency stop. */
const WHEEL_BRAKING_MPS2 = 3;
const WHEEL_BASE_M = 0.3;
const RADIUS_M = 0.2;

/** The range finder. */
const RANGE_M = 4;

/** Before an obstacle it stands this far off. */
const STANDOFF_M = 0.15;

const BATTERY_WH = 80;
const IDLE_W = 6;
const DRIVE_W = 30;
const CHARGE_W = 90;

/** This near is there. */
const AT_M = 0.05;
const AT_RAD = 0.02;

export function createRobot(emergencyStop = false): Robot {
  return {
    atS: 0,
    x: DOCK.x,
    y: DOCK.y,
    headingRad: 0,
    wheelMps: { left: 0, right: 0 },
    task: { kind: 'none' },
    isBlocked: false,
    emergencyStop,
    batteryWh: 60,
    ended: [],
  };
}

export const robotModel = (initial: Robot): MachineModel<Robot> => ({ initial, step: stepRobot, act: actOnRobot, signals: robotSignals });

const speedOf = ({ left, right }: Robot['wheelMps']): number => (left + right) / 2;

const isDocked = (robot: Robot): boolean => robot.task.kind === 'none' && Math.hypot(robot.x - DOCK.x, robot.y - DOCK.y) <= 2 * AT_M;

/** A speed from which there is room to stop within a distance. */
const speedFor = (distance: number, acceleration: number): number => Math.sqrt(2 * acceleration * Math.max(0, distance));

export function stepRobot(robot: Robot, spanS: number): Robot {
  const wish = robot.emergencyStop ? { mps: 0, rps: 0 } : wishOf(robot);
  const clearM = clearAhead(robot, robot.headingRad, RANGE_M) - RADIUS_M;
  const backM = clearAhead(robot, robot.headingRad + Math.PI, RANGE_M) - RADIUS_M;
  const roomM = (wish.mps >= 0 ? clearM : backM) - STANDOFF_M;
  // The obstacle stop stands below every task and cannot be switched off. Half of what the brakes can do keeps the distance also against slow steps.
  const limitMps = speedFor(roomM, WHEEL_ACCELERATION_MPS2 / 2);
  const isHeld = Math.abs(wish.mps) > limitMps;
  const mps = Math.sign(wish.mps) * Math.min(Math.abs(wish.mps), limitMps);
  const by = (robot.emergencyStop || isHeld ? WHEEL_BRAKING_MPS2 : WHEEL_ACCELERATION_MPS2) * spanS;
  const wheelMps = {
    left: approach(robot.wheelMps.left, mps - (wish.rps * WHEEL_BASE_M) / 2, by),
    right: approach(robot.wheelMps.right, mps + (wish.rps * WHEEL_BASE_M) / 2, by),
  };
  const movedM = speedOf(wheelMps) * spanS;
  const turnedRad = ((wheelMps.right - wheelMps.left) / WHEEL_BASE_M) * spanS;
  const heading = robot.headingRad + turnedRad / 2;
  const moved: Robot = {
    ...robot,
    atS: robot.atS + spanS,
    x: robot.x + movedM * Math.cos(heading),
    y: robot.y + movedM * Math.sin(heading),
    headingRad: wrapped(robot.headingRad + turnedRad),
    wheelMps,
    batteryWh: nextBatteryWh(robot, spanS),
    ended: [],
  };
  return withTask(moved, { movedM, turnedRad, isStuck: isHeld && roomM <= AT_M });
}

interface Wish {
  readonly mps: number;
  readonly rps: number;
}

function wishOf(robot: Robot): Wish {
  const { task } = robot;
  switch (task.kind) {
    case 'none':
      return { mps: 0, rps: 0 };
    case 'drive':
      return { mps: Math.sign(task.leftM) * Math.min(SPEED_MAX_MPS, speedFor(Math.abs(task.leftM), WHEEL_ACCELERATION_MPS2 / 2)), rps: 0 };
    case 'turn':
      return { mps: 0, rps: turnFor(task.leftRad) };
    case 'go':
    case 'dock':
      return wayTo(robot, task.to);
    case 'follow':
      return wayTo(robot, personAt(robot.atS), 1);
  }
}

/** A turn that ends at the angle: a wheel that brakes takes 2 v / base less turn per second. */
const turnFor = (leftRad: number): number =>
  Math.sign(leftRad) * Math.min(TURN_MAX_RPS, speedFor(Math.abs(leftRad), WHEEL_ACCELERATION_MPS2 / WHEEL_BASE_M));

/** First look there, then drive there, and stop `before` it. */
function wayTo(robot: Robot, to: Point, before = 0): Wish {
  const awayM = Math.hypot(to.x - robot.x, to.y - robot.y) - before;
  if (awayM <= 0) return { mps: 0, rps: 0 };
  const offRad = wrapped(Math.atan2(to.y - robot.y, to.x - robot.x) - robot.headingRad);
  const mps = Math.abs(offRad) > 0.3 ? 0 : Math.min(SPEED_MAX_MPS, speedFor(awayM, WHEEL_ACCELERATION_MPS2 / 2));
  return { mps, rps: turnFor(offRad) };
}

/** Somebody who walks round in the middle of the room. */
const personAt = (atS: number): Point => ({ x: 4 + 1.2 * Math.cos(atS / 6), y: 1.2 * Math.sin(atS / 6) - 0.5 });

/** What is left of the task after a step, and what ended with it. */
function withTask(robot: Robot, made: { readonly movedM: number; readonly turnedRad: number; readonly isStuck: boolean }): Robot {
  const { task } = robot;
  if (task.kind === 'none') return robot;
  if (robot.emergencyStop) return finished(robot, 'refused', 'the emergency stop was pressed');
  if (made.isStuck && task.kind !== 'follow') return { ...finished(robot, 'refused', 'an obstacle is in the way'), isBlocked: true };
  switch (task.kind) {
    case 'drive': {
      const leftM = task.leftM - made.movedM;
      return Math.abs(leftM) <= AT_M || leftM * task.leftM < 0
        ? finished(robot, 'achieved', 'simulated')
        : { ...robot, task: { ...task, leftM } };
    }
    case 'turn': {
      const leftRad = task.leftRad - made.turnedRad;
      const isThere = Math.abs(leftRad) <= AT_RAD || leftRad * task.leftRad < 0;
      return isThere ? finished(robot, 'achieved', 'simulated') : { ...robot, task: { ...task, leftRad } };
    }
    case 'go':
    case 'dock':
      return Math.hypot(task.to.x - robot.x, task.to.y - robot.y) <= AT_M ? finished(robot, 'achieved', 'simulated') : robot;
    case 'follow':
      return robot;
  }
}

function finished(robot: Robot, state: Ended['state'], detail: string): Robot {
  const ended = robot.task.kind === 'none' ? [] : [{ id: robot.task.id, state, detail }];
  return { ...robot, task: { kind: 'none' }, ended: [...robot.ended, ...ended] };
}

export function actOnRobot(before: Robot, { id, action, values }: Call): Acted<Robot> {
  // What it was about gives way to what it is told now.
  const robot: Robot = { ...finished({ ...before, ended: [] }, 'refused', 'another command came'), isBlocked: false };
  const begin = (task: Task): Acted<Robot> =>
    before.emergencyStop ? { kind: 'refused', detail: 'the emergency stop is pressed' } : { kind: 'begun', state: { ...robot, task } };
  switch (action) {
    case 'drive_distance':
      return begin({ kind: 'drive', id, leftM: Number(values.metres) * (values.direction === 'backward' ? -1 : 1) });
    case 'turn_by':
      return begin({ kind: 'turn', id, leftRad: ((Number(values.degrees) * Math.PI) / 180) * (values.direction === 'right' ? -1 : 1) });
    case 'stop_motion':
      return { kind: 'begun', state: { ...robot, ended: [...robot.ended, { id, state: 'achieved', detail: 'simulated' }] } };
    case 'go_to_place': {
      const to = findPlace(String(values.place));
      return to === undefined ? { kind: 'refused', detail: 'the map has no place of that name' } : begin({ kind: 'go', id, to });
    }
    case 'follow_person':
      return begin({ kind: 'follow', id });
    case 'return_to_dock':
      return begin({ kind: 'dock', id, to: DOCK });
    case 'say_text':
      return { kind: 'begun', state: { ...before, ended: [{ id, state: 'achieved', detail: 'simulated' }] } };
    default:
      return { kind: 'refused', detail: 'this robot cannot do that' };
  }
}

function nextBatteryWh(robot: Robot, spanS: number): number {
  const drive = (Math.abs(speedOf(robot.wheelMps)) / SPEED_MAX_MPS) * DRIVE_W;
  const watts = isDocked(robot) ? CHARGE_W - IDLE_W : -IDLE_W - drive;
  return Math.min(BATTERY_WH, Math.max(0, robot.batteryWh + (watts * spanS) / 3600));
}

function wrapped(angleRad: number): number {
  const inTurn = (angleRad + Math.PI) % (2 * Math.PI);
  return (inTurn < 0 ? inTurn + 2 * Math.PI : inTurn) - Math.PI;
}

/** Under the names of configs/actions/robot.yaml. */
export function robotSignals(robot: Robot): Readonly<Record<string, string | number | boolean>> {
  return {
    xM: rounded(robot.x, 2),
    yM: rounded(robot.y, 2),
    headingDeg: rounded((robot.headingRad * 180) / Math.PI, 1),
    speedMps: rounded(speedOf(robot.wheelMps), 2),
    'wheelSpeedMps.left': rounded(robot.wheelMps.left, 2),
    'wheelSpeedMps.right': rounded(robot.wheelMps.right, 2),
    obstacleM: rounded(Math.max(0, clearAhead(robot, robot.headingRad, RANGE_M) - RADIUS_M), 2),
    motion: motionOf(robot),
    emergencyStop: robot.emergencyStop,
    batteryPercent: rounded((robot.batteryWh / BATTERY_WH) * 100, 1),
  };
}

function motionOf(robot: Robot): string {
  switch (robot.task.kind) {
    case 'none':
      if (robot.isBlocked) return 'blocked';
      return isDocked(robot) ? 'docked' : 'standing';
    case 'drive':
    case 'go':
      return 'driving';
    case 'turn':
      return 'turning';
    case 'follow':
      return 'following';
    case 'dock':
      return 'docking';
  }
}
