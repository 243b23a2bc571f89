/**
 * A simulated robot with two driven wheels for the action gate to act on; `--help` says how to start it. It knows a room with a few obstacles, stops before
 * them, and charges at its dock. Nothing in it was measured on a real robot.
 */
import { fileURLToPath } from 'node:url';
import { serve } from '../machine-sim/serve.ts';
import { createRobot, type Robot, robotModel } from './robot.ts';

serve<Robot>({
  name: 'robot',
  catalogueFile: fileURLToPath(new URL('../../configs/actions/robot.yaml', import.meta.url)),
  options: { button: { standard: 'released', help: 'the emergency stop: released or pressed' } },
  model: ({ button = 'released' }) => {
    if (button !== 'released' && button !== 'pressed') throw new Error(`--button ${button} is not known; allowed is released or pressed`);
    return robotModel(createRobot(button === 'pressed'));
  },
});
