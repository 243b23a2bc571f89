/** One line of the log of train.py. */
interface Entry {
  readonly tokens: number;
  readonly loss: number;
  readonly heldOut: number | undefined;
}

const SIZE = { width: 720, height: 400, left: 60, right: 20, top: 30, bottom: 50 } as const;
const COLOURS = { loss: '#1f6fb4', heldOut: '#d1642a' } as const;

/** Grid lines of the loss, in nats a token. */
const GRID_LOSSES = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/**
 * Draws the log of train.py, a CSV with a header, as an SVG: loss of the assistant's tokens in training and on the held-out split over tokens seen, the loss
 * in logarithmic scale. A run that was resumed may have written a step twice; the later line counts. RangeError for a log without two lines.
 */
export function drawLoss(csv: string): string {
  const entries = readLog(csv);
  const lastTokens = entries.at(-1)?.tokens ?? 0;
  const losses = entries.flatMap(({ loss, heldOut }) => (heldOut === undefined ? [loss] : [loss, heldOut]));
  const [low, high] = [Math.min(...losses) * 0.8, Math.max(...losses) * 1.1];
  const x = (tokens: number): number => SIZE.left + (tokens / lastTokens) * (SIZE.width - SIZE.left - SIZE.right);
  const y = (loss: number): number => SIZE.top + (Math.log(high / loss) / Math.log(high / low)) * (SIZE.height - SIZE.top - SIZE.bottom);
  const path = (points: readonly (readonly [tokens: number, loss: number])[], colour: string): string =>
    `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.map(([tokens, loss]) => `${x(tokens).toFixed(1)},${y(loss).toFixed(1)}`).join(' ')}"/>`;
  const rows = GRID_LOSSES.filter((loss) => loss > low && loss < high).map(
    (loss) =>
      `<line x1="${SIZE.left}" x2="${SIZE.width - SIZE.right}" y1="${y(loss).toFixed(1)}" y2="${y(loss).toFixed(1)}" stroke="#ddd"/><text x="${SIZE.left - 8}" y="${(y(loss) + 4).toFixed(1)}" text-anchor="end">${loss}</text>`,
  );
  const stepMillions = Math.max(1, Math.round(lastTokens / 8e6));
  const columns = Array.from({ length: Math.floor(lastTokens / 1e6 / stepMillions) + 1 }, (_, index) => index * stepMillions).map(
    (millions) => `<text x="${x(millions * 1e6).toFixed(1)}" y="${SIZE.height - SIZE.bottom + 18}" text-anchor="middle">${millions}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="white"/>`,
    ...rows,
    ...columns,
    `<text x="${SIZE.width / 2}" y="${SIZE.height - 12}" text-anchor="middle">million tokens seen</text>`,
    `<text x="${SIZE.left}" y="18">loss in nats per token of the assistant: <tspan fill="${COLOURS.loss}">training</tspan>, <tspan fill="${COLOURS.heldOut}">held out</tspan></text>`,
    path(
      entries.map(({ tokens, loss }) => [tokens, loss]),
      COLOURS.loss,
    ),
    path(
      entries.flatMap(({ tokens, heldOut }) => (heldOut === undefined ? [] : [[tokens, heldOut] as const])),
      COLOURS.heldOut,
    ),
    '</svg>',
    '',
  ].join('\n');
}

function readLog(csv: string): readonly Entry[] {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/u);
  const names = header.split(',');
  const bySteps = new Map<number, Entry>();
  for (const line of lines) {
    const cells = line.split(',');
    const cell = (name: string): string => cells[names.indexOf(name)] ?? '';
    const heldOut = cell('heldout_loss');
    bySteps.set(Number(cell('step')), {
      tokens: Number(cell('tokens')),
      loss: Number(cell('loss')),
      heldOut: heldOut === '' ? undefined : Number(heldOut),
    });
  }
  if (bySteps.size < 2) throw new RangeError('the log has no two lines to draw a line through');
  return [...bySteps].sort(([one], [other]) => one - other).map(([, entry]) => entry);
}
