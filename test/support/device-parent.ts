import { writeSync } from 'node:fs';
import { createOrtRig, region } from './ort-rig.ts';
import { writeTinyModels } from './tiny-onnx.ts';

/** A process with two cores, one idle and one in an endless run, that prints their process ids and waits to be killed. */
const rig = createOrtRig({ cores: [{ id: 0 }, { id: 1 }] });
const { count } = writeTinyModels(rig.dir);
await Promise.all([rig.start(0), rig.start(1)]);
await rig.load(count, 1);
new BigInt64Array(rig.arena)[0] = 10n ** 15n;
void rig.run('count', [region(0, 8)], [region(64, 4)], { core: 1, killMs: 1e6 });
writeSync(1, `${JSON.stringify([rig.pid(0), rig.pid(1)])}\n`);
