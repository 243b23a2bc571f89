import { writeFileSync } from 'node:fs';
import { layerTable } from './table.ts';

writeFileSync(new URL('../../configs/fidelity/network-layers.csv', import.meta.url), layerTable());
