/** One square of the grid that an image is divided into, with the anchors that stand in the centre of each of its cells. */
export interface AnchorLayer {
  /** Cells along each side. */
  readonly cells: number;
  readonly anchorsPerCell: number;
}

/** BlazeFace: 16 x 16 x 2 + 8 x 8 x 6 = 896 anchors, whether its input is 128 or 256 pixels (MediaPipe ssd_anchors_calculator, fixed_anchor_size). */
export const BLAZEFACE_LAYERS: readonly AnchorLayer[] = [
  { cells: 16, anchorsPerCell: 2 },
  { cells: 8, anchorsPerCell: 6 },
];

export const anchorCount = ({ cells, anchorsPerCell }: AnchorLayer): number => cells * cells * anchorsPerCell;

/** Centres as x, y pairs in 0..1, in the order of the rows of the layer's tensors: row by row, cell by cell, the anchors of a cell together. */
export function anchorCentres(layer: AnchorLayer): Float32Array {
  const centres = new Float32Array(2 * anchorCount(layer));
  let at = 0;
  for (let y = 0; y < layer.cells; y += 1) {
    for (let x = 0; x < layer.cells; x += 1) {
      for (let anchor = 0; anchor < layer.anchorsPerCell; anchor += 1) {
        centres[at++] = (x + 0.5) / layer.cells;
        centres[at++] = (y + 0.5) / layer.cells;
      }
    }
  }
  return centres;
}
