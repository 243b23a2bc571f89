/** A point of the floor, metres; the dock is at the origin, x points east, y north. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Something round that stands in the way. */
interface Obstacle extends Point {
  readonly radius: number;
}

/** One room with walls all round, drawn by hand. */
export const FLOOR = {
  west: -1,
  east: 9,
  south: -4,
  north: 4,
  obstacles: [
    { x: 3.5, y: 1.8, radius: 0.4 },
    { x: 6.2, y: -1.5, radius: 0.5 },
    { x: 5, y: 3.2, radius: 0.3 },
  ],
} as const satisfies {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
  readonly obstacles: readonly Obstacle[];
};

export const DOCK: Point = { x: 0, y: 0 };

/** Places that the map knows by name, and their Chinese names. */
const PLACES: Readonly<Record<string, Point>> = {
  dock: DOCK,
  kitchen: { x: 7.5, y: 2 },
  'living room': { x: 4, y: -2 },
  bedroom: { x: 8, y: -3 },
  door: { x: 2, y: 3 },
  desk: { x: 6, y: 0.5 },
  厨房: { x: 7.5, y: 2 },
  客厅: { x: 4, y: -2 },
  卧室: { x: 8, y: -3 },
  门口: { x: 2, y: 3 },
  书桌: { x: 6, y: 0.5 },
};

/** As people say it: "the Kitchen". */
export function findPlace(said: string): Point | undefined {
  const name = said.trim().toLowerCase().replace(/^the /, '');
  return Object.hasOwn(PLACES, name) ? PLACES[name] : undefined;
}

/** How far a ray goes from a point before it meets a wall or an obstacle, at most `maxM`. */
export function clearAhead({ x, y }: Point, headingRad: number, maxM: number): number {
  const [dx, dy] = [Math.cos(headingRad), Math.sin(headingRad)];
  const toWall = (from: number, low: number, high: number, way: number): number =>
    way > 0 ? (high - from) / way : way < 0 ? (low - from) / way : Number.POSITIVE_INFINITY;
  const distances = [
    maxM,
    toWall(x, FLOOR.west, FLOOR.east, dx),
    toWall(y, FLOOR.south, FLOOR.north, dy),
    ...FLOOR.obstacles.map((obstacle) => toCircle({ x: obstacle.x - x, y: obstacle.y - y }, obstacle.radius, dx, dy)),
  ];
  return Math.max(0, Math.min(...distances));
}

/** To the nearer of the two points where a ray from the origin meets a circle; 0 inside. */
function toCircle(centre: Point, radius: number, dx: number, dy: number): number {
  const along = centre.x * dx + centre.y * dy;
  const awaySquared = centre.x ** 2 + centre.y ** 2;
  if (awaySquared <= radius ** 2) return 0;
  const offSquared = awaySquared - along ** 2;
  if (along < 0 || offSquared > radius ** 2) return Number.POSITIVE_INFINITY;
  return along - Math.sqrt(radius ** 2 - offSquared);
}
