import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

/**
 * Draws the two street scenes in tools/samples/assets: text for the OCR and straight lines for M-LSD, free of other people's rights. Run by
 * hand (`npx tsx tools/samples/draw-streets.ts`) to change them; the bytes depend on the fonts installed, so new hashes go into samples.ts.
 */
interface Sign {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly colour: string;
  readonly lines: readonly [string, string];
}

interface Scene {
  readonly file: string;
  readonly signs: readonly Sign[];
  readonly plate: string;
  readonly shop: string;
}

const SCENES: readonly Scene[] = [
  {
    file: 'street-1.jpg',
    signs: [
      { x: 150, y: 150, width: 250, height: 110, colour: '#0a5c36', lines: ['HARBOUR', 'EXIT 12'] },
      { x: 900, y: 120, width: 270, height: 130, colour: '#0b3d91', lines: ['PARKING', 'LEVEL 2'] },
    ],
    plate: 'CX 4071',
    shop: 'BAKERY',
  },
  {
    file: 'street-2.jpg',
    signs: [
      { x: 120, y: 170, width: 240, height: 120, colour: '#b3201f', lines: ['STOP', 'WAIT HERE'] },
      { x: 880, y: 140, width: 300, height: 120, colour: '#0b3d91', lines: ['STATION', 'NORTH 800 M'] },
    ],
    plate: 'RW 8250',
    shop: 'PHARMACY',
  },
];

const WIDTH = 1280;
const HEIGHT = 720;
const HORIZON = 400;
const WALLS = ['#a58a74', '#8d7f7b', '#b09f8b', '#7d8a91', '#9a7c6c'];

const rectangle = (x: number, y: number, width: number, height: number, style: string) =>
  `<rect x='${x}' y='${y}' width='${width}' height='${height}' ${style}/>`;
const polygon = (points: string, colour: string) => `<polygon points='${points}' fill='${colour}'/>`;
const text = (x: number, y: number, size: number, colour: string, words: string) =>
  `<text x='${x}' y='${y}' font-family='DejaVu Sans, sans-serif' font-weight='bold' font-size='${size}' text-anchor='middle' fill='${colour}'>${words}</text>`;

function houses(): string {
  return WALLS.map((wall, index) => {
    const [x, height] = [index * 260 - 10, 210 + ((index * 67) % 110)];
    const rows = Array.from({ length: Math.floor(height / 75) }, (_, row) => row);
    const windows = rows.flatMap((row) =>
      [0, 1, 2, 3].map((column) =>
        rectangle(x + 18 + column * 57, HORIZON - height + 18 + row * 72, 38, 48, "fill='#41576b' stroke='#eee' stroke-width='3'"),
      ),
    );
    return rectangle(x, HORIZON - height, 250, height, `fill='${wall}' stroke='#3c3430' stroke-width='3'`) + windows.join('');
  }).join('');
}

function road(): string {
  const dashes = Array.from({ length: 6 }, (_, index) => {
    const [y, height, near] = [410 + index * index * 11, 6 + index * 8, 2 + index * 1.6];
    return polygon(`${639 - index},${y} ${641 + index},${y} ${640 + near},${y + height} ${640 - near},${y + height}`, '#f5f3e4');
  });
  return [
    rectangle(0, HORIZON, WIDTH, HEIGHT - HORIZON, "fill='#9b988f'"),
    polygon('560,400 720,400 1180,720 100,720', '#4b4d50'),
    polygon('563,400 570,400 170,720 118,720', '#f2f2ee'),
    polygon('710,400 717,400 1162,720 1110,720', '#f2f2ee'),
    ...dashes,
  ].join('');
}

function sign({ x, y, width, height, colour, lines }: Sign): string {
  const middle = x + width / 2;
  return [
    rectangle(middle - 6, y + height, 12, 480 - y - height, "fill='#666'"),
    rectangle(x, y, width, height, `rx='8' fill='${colour}' stroke='#fff' stroke-width='6'`),
    text(middle, y + height * 0.43, 40, '#fff', lines[0]),
    text(middle, y + height * 0.84, 38, '#fff', lines[1]),
  ].join('');
}

function car(plate: string): string {
  return [
    rectangle(790, 520, 230, 95, "rx='16' fill='#7a2b2b'"),
    "<path d='M820 520 L850 462 L960 462 L990 520 Z' fill='#34424f' stroke='#7a2b2b' stroke-width='8'/>",
    rectangle(806, 600, 42, 36, "rx='6' fill='#1c1c1c'"),
    rectangle(962, 600, 42, 36, "rx='6' fill='#1c1c1c'"),
    rectangle(800, 535, 34, 18, "fill='#e33'"),
    rectangle(976, 535, 34, 18, "fill='#e33'"),
    rectangle(843, 560, 124, 38, "fill='#fdfdf5' stroke='#111' stroke-width='3'"),
    text(905, 590, 28, '#111', plate),
  ].join('');
}

function drawing(scene: Scene): string {
  const sky =
    "<defs><linearGradient id='sky' x1='0' x2='0' y1='0' y2='1'><stop offset='0' stop-color='#7fa9d6'/><stop offset='1' stop-color='#dfe9f2'/></linearGradient></defs>";
  const shop = rectangle(555, 300, 190, 62, "fill='#f6efe0' stroke='#2a2a2a' stroke-width='4'") + text(650, 344, 34, '#7a1f1f', scene.shop);
  const parts = [
    sky,
    rectangle(0, 0, WIDTH, HEIGHT, "fill='url(#sky)'"),
    houses(),
    road(),
    shop,
    ...scene.signs.map(sign),
    car(scene.plate),
  ];
  return `<svg xmlns='http://www.w3.org/2000/svg' width='${WIDTH}' height='${HEIGHT}'>${parts.join('')}</svg>`;
}

async function drawAll(): Promise<void> {
  for (const scene of SCENES) {
    const target = fileURLToPath(new URL(`assets/${scene.file}`, import.meta.url));
    await sharp(Buffer.from(drawing(scene)))
      .blur(0.6)
      .jpeg({ quality: 82 })
      .toFile(target);
  }
}

await drawAll();
