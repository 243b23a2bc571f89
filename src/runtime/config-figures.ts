import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { effectiveConfig } from '../config/print-config.ts';
import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { ConfigFigures } from '../telemetry/snapshot.ts';

/** What was run, for the report: two runs with the same hash had the same effective configuration, secrets aside. */
export function configFigures(config: RuntimeConfig): ConfigFigures {
  const sha256 = createHash('sha256')
    .update(JSON.stringify(effectiveConfig(config)))
    .digest('hex');
  return { node: config.node, file: relative(process.cwd(), config.origin.file), sha256 };
}
