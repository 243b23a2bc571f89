import {
  classOf,
  costOn,
  type Draft,
  hasRoom,
  type Item,
  isShareable,
  memoryProblem,
  problemWith,
  type Seat,
  sit,
} from './placement-draft.ts';

interface Option {
  readonly seats: readonly Seat[];
  readonly costUs: number;
}

/**
 * Places a model whose jobs run on several cores at once, on `split` of these seats or, with `auto`, on the fewest that keep its deadline beside what is there.
 * Cores of one cluster before others, the least loaded before others. Returns false when such a run has no cost, and nothing was placed.
 *
 * @param wishes seats to look at first, and where it does not fit there, then
 */
export function placeGang(draft: Draft, wishes: readonly (readonly Seat[])[], item: Item): boolean {
  const { split, model } = item;
  if (split === undefined) return false;
  const choices = wishes.map((seats) => seats.filter((seat) => isShareable(model, seat)));
  const most = Math.max(...choices.map((seats) => seats.length));
  if (typeof split === 'number' && (model.splitUs === undefined || split > most)) {
    const why = model.splitUs === undefined ? 'which only simulated cores can do' : `and it may use ${most}`;
    draft.problems.push(`Model ${model.id} is to be split over ${split} cores, ${why}.`);
    return false;
  }
  const options = choices.flatMap((seats) =>
    (split === 'auto' ? seats.map((_, index) => index + 1) : [split]).flatMap((ways) => optionsFor(seats, item, ways)),
  );
  const fitting = options.find(
    (option) => option.seats.every((seat) => hasRoom(seat, item)) && problemWith(draft, option.seats, item, option.costUs) === undefined,
  );
  const chosen = fitting ?? fastestOf(options);
  if (chosen === undefined) return false;
  if (fitting === undefined)
    draft.problems.push(`Model ${model.id} does not fit on ${coresText(chosen)}: ${misfitOf(draft, chosen, item)}.`);
  sit(draft, chosen.seats, item, chosen.costUs, reasonFor(item, chosen, fitting !== undefined));
  return true;
}

const fastestOf = (options: readonly Option[]): Option | undefined =>
  options.reduce<Option | undefined>((best, one) => (best === undefined || one.costUs < best.costUs ? one : best), undefined);

/** The least loaded of each cluster that has enough of them; of all where none has. */
function optionsFor(seats: readonly Seat[], { model }: Item, ways: number): readonly Option[] {
  const clusters = new Map<number, Seat[]>();
  for (const seat of seats) clusters.set(clusterOf(seat), [...(clusters.get(clusterOf(seat)) ?? []), seat]);
  if (seats.length < ways) return [];
  const whole = [...clusters.values()].filter((cluster) => cluster.length >= ways);
  return (whole.length > 0 ? whole : [[...seats]])
    .map((cluster) => [...cluster].sort((a, b) => a.loadRatio - b.loadRatio).slice(0, ways))
    .sort((a, b) => loadOf(a) - loadOf(b))
    .flatMap((chosen) => {
      const inOrder = chosen.sort((a, b) => a.core.id - b.core.id);
      const [first] = inOrder;
      const costUs = ways === 1 && first !== undefined ? costOn(model, first) : model.splitUs?.(ways, new Set(inOrder.map(clusterOf)).size);
      return costUs === undefined ? [] : [{ seats: inOrder, costUs }];
    });
}

const clusterOf = ({ core }: Seat): number => core.cluster ?? 0;
const loadOf = (seats: readonly Seat[]): number => seats.reduce((sum, { loadRatio }) => sum + loadRatio, 0);

function misfitOf(draft: Draft, { seats, costUs }: Option, item: Item): string {
  const full = seats.find((seat) => !hasRoom(seat, item));
  return full === undefined ? (problemWith(draft, seats, item, costUs) ?? '') : memoryProblem(full, item);
}

function reasonFor(item: Item, { seats, costUs }: Option, doesFit: boolean): string {
  const times = `${ms(costUs)} ms instead of ${ms(item.model.costUs)} ms`;
  const how = seats.length === 1 ? 'not split' : `split over ${seats.length} cores, ${times}`;
  const why = !doesFit
    ? 'fits nowhere; this is the fastest'
    : item.split === 'auto'
      ? 'the fewest cores that keep its deadline'
      : 'as configured';
  return `${classOf(item)}, ${how}: ${why}`;
}

const coresText = ({ seats }: Option): string =>
  seats.length === 1 ? `core ${seats[0]?.core.id}` : `cores ${seats.map(({ core }) => core.id).join(', ')} at once`;
const ms = (us: number): string => String(Math.round(us / 10) / 100);
