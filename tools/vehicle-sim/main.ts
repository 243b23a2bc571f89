/**
 * A simulated car for the action gate to act on; `--help` says how to start it. It drives by a profile, has doors that latch while driving, windows that take
 * their time and a cabin that warms slowly. Nothing in it was measured on a real car.
 */
import { fileURLToPath } from 'node:url';
import { serve } from '../machine-sim/serve.ts';
import { actOnVehicle } from './act.ts';
import { PROFILE_HELP, parseProfile } from './drive-profile.ts';
import { createVehicle, stepVehicle, type Vehicle, vehicleSignals } from './vehicle.ts';

serve<Vehicle>({
  name: 'vehicle',
  catalogueFile: fileURLToPath(new URL('../../configs/actions/cockpit.yaml', import.meta.url)),
  options: { drive: { standard: 'parked', help: PROFILE_HELP } },
  model: ({ drive = 'parked' }) => ({
    initial: createVehicle(parseProfile(drive)),
    step: stepVehicle,
    act: actOnVehicle,
    signals: vehicleSignals,
  }),
});
