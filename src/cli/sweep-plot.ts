/** One chip's line: tokens a second over parameters; models that do not fit are left out. */
export interface SweepLine {
  readonly name: string;
  readonly points: readonly { readonly parameters: number; readonly tokensPerSecond: number }[];
}

const COLOURS = ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b', '#e377c2', '#7f7f7f', '#bcbd22', '#17becf'];
const DASHES = ['', '6 3', '2 3'];
const WIDTH = 960;
const HEIGHT = 600;
const LEFT = 70;
const RIGHT = 190;
const TOP = 40;
const BOTTOM = 60;

const X_TICKS = [0.1e9, 0.3e9, 1e9, 3e9, 10e9];
const Y_TICKS = [0.3, 1, 3, 10, 30, 100, 300, 1000];

/** Both axes logarithmic; `toX` and `toY` give 0..1. */
function scales(lines: readonly SweepLine[]) {
  const all = lines.flatMap(({ points }) => points);
  const bounds = (values: readonly number[]): readonly [number, number] => [
    Math.log10(Math.min(...values) * 0.8),
    Math.log10(Math.max(...values) * 1.25),
  ];
  const [xLow, xHigh] = bounds(all.map(({ parameters }) => parameters));
  const [yLow, yHigh] = bounds(all.map(({ tokensPerSecond }) => tokensPerSecond));
  return {
    toX: (parameters: number): number => (Math.log10(parameters) - xLow) / (xHigh - xLow),
    toY: (tokens: number): number => (Math.log10(tokens) - yLow) / (yHigh - yLow),
  };
}

/** The sweep as an SVG document. */
export function sweepSvg(lines: readonly SweepLine[], title: string): string {
  const { toX, toY } = scales(lines);
  const x = (parameters: number): string => (LEFT + toX(parameters) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (tokens: number): string => (HEIGHT - BOTTOM - toY(tokens) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const isInside = (ratio: number): boolean => ratio >= 0 && ratio <= 1;
  const grid = [
    ...X_TICKS.filter((tick) => isInside(toX(tick))).map(
      (tick) =>
        `<line x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#ddd"/><text x="${x(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick / 1e9} B</text>`,
    ),
    ...Y_TICKS.filter((tick) => isInside(toY(tick))).map(
      (tick) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/><text x="${LEFT - 8}" y="${Number(y(tick)) + 4}" text-anchor="end">${tick}</text>`,
    ),
  ];
  const drawn = lines.map(({ name, points }, index) => {
    const stroke = `stroke="${COLOURS[index % COLOURS.length]}" stroke-dasharray="${DASHES[Math.floor(index / COLOURS.length) % DASHES.length]}"`;
    const path = points.map(({ parameters, tokensPerSecond }) => `${x(parameters)},${y(tokensPerSecond)}`).join(' ');
    const legendY = TOP + 10 + index * 20;
    return `<polyline points="${path}" fill="none" stroke-width="2" ${stroke}/><line x1="${WIDTH - RIGHT + 12}" x2="${WIDTH - RIGHT + 40}" y1="${legendY}" y2="${legendY}" stroke-width="2" ${stroke}/><text x="${WIDTH - RIGHT + 46}" y="${legendY + 4}">${escapeXml(name)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="22" font-size="15">${escapeXml(title)}</text>`,
    ...grid,
    ...drawn,
    `<text x="${(WIDTH - RIGHT + LEFT) / 2}" y="${HEIGHT - 16}" text-anchor="middle">parameters</text>`,
    `<text x="18" y="${(HEIGHT - BOTTOM + TOP) / 2}" text-anchor="middle" transform="rotate(-90 18 ${(HEIGHT - BOTTOM + TOP) / 2})">tokens a second</text>`,
    '</svg>\n',
  ].join('\n');
}

const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const SKETCH_ROWS = 14;

/** The same for a terminal: a letter per chip, the later ones over the earlier. */
export function sweepSketch(lines: readonly SweepLine[], columns: number): string[] {
  const width = Math.max(20, Math.min(columns - 10, 90));
  const { toX, toY } = scales(lines);
  const cells = Array.from({ length: SKETCH_ROWS }, () => new Array<string>(width).fill(' '));
  lines.forEach(({ points }, index) => {
    for (const { parameters, tokensPerSecond } of points) {
      const row = cells[SKETCH_ROWS - 1 - Math.round(toY(tokensPerSecond) * (SKETCH_ROWS - 1))];
      if (row !== undefined) row[Math.round(toX(parameters) * (width - 1))] = letterOf(index);
    }
  });
  const label = (row: number): string => {
    const tick = Y_TICKS.find(
      (value) => toY(value) >= 0 && toY(value) <= 1 && SKETCH_ROWS - 1 - Math.round(toY(value) * (SKETCH_ROWS - 1)) === row,
    );
    return (tick === undefined ? '' : String(tick)).padStart(6);
  };
  const axis = new Array<string>(width).fill(' ');
  for (const tick of X_TICKS) {
    const at = Math.round(toX(tick) * (width - 1));
    if (at >= 0 && at < width - 4) axis.splice(at, 5, ...`${tick / 1e9} B`.padEnd(5).slice(0, 5));
  }
  return [
    'tokens a second',
    ...cells.map((row, index) => `${label(index)} │${row.join('').trimEnd()}`),
    `       └${'─'.repeat(width)}`,
    `        ${axis.join('').trimEnd()}`,
    lines.map(({ name }, index) => `${letterOf(index)} ${name}`).join(', '),
  ];
}

const letterOf = (index: number): string => String.fromCharCode(97 + (index % 26));
