import { LayerList, type ListedLayer } from './layer-list.ts';
import { NETWORKS } from './networks.ts';

const HEADER = `# Layers of networks that multiply, for rows of measurements that name one: written by tools/network-layers from the published architectures, at the input that networks.csv has.
# Each line: so many layers alike, as matrix products [m, k] x [k, n], groups times each. m: output pixels; n: output channels of a group; k: input channels of a group times the window;
# reads: numbers that one layer reads besides its weights; score: both factors are results, as in attention;
# ops: of layers without multiplications (sums, pooling), which have no k: operations of each result.
model,count,m,n,k,groups,reads,score,ops
`;

const cellsOf = ({ m, n, k, groups, reads, isScore, ops }: ListedLayer): string =>
  [m, n, k === 0 ? '' : Math.round(k), groups, reads, isScore === true, ops ?? ''].join(',');

/** configs/fidelity/network-layers.csv, byte for byte. */
export function layerTable(): string {
  const lines = Object.entries(NETWORKS).flatMap(([name, walk]) => {
    const list = new LayerList();
    walk(list);
    const counts = new Map<string, number>();
    for (const layer of list.layers) counts.set(cellsOf(layer), (counts.get(cellsOf(layer)) ?? 0) + 1);
    return [...counts].map(([cells, count]) => `${name},${count},${cells}\n`);
  });
  return HEADER + lines.join('');
}
