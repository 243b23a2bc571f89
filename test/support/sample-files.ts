import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The cache folder with every sample in it, obtained as `npm start` obtains them: at once if they are there, through npm if they are not.
 * Throws with the tool's own words if they cannot be had.
 */
export function obtainSampleFolder(): string {
  const result = spawnSync(process.execPath, ['--import', 'tsx', join(PROJECT, 'tools/samples/main.ts')], {
    cwd: PROJECT,
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(`the samples could not be obtained (status ${result.status}):\n${result.stderr}`);
  return join(PROJECT, '.cache');
}
