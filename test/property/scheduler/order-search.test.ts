import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { OrderSearch } from '../../../src/scheduler/order-search.ts';

interface Job {
  readonly releaseAt: number;
  readonly dueAt: number;
  readonly cost: number;
  readonly rank: number;
}

const NEVER = Number.POSITIVE_INFINITY;

function fill(search: OrderSearch, now: number, jobs: readonly Job[]): void {
  const { queues } = search;
  search.begin(now);
  for (const { releaseAt, dueAt, cost, rank } of jobs) {
    const place = queues.count;
    queues.count += 1;
    queues.releaseAt[place] = releaseAt;
    queues.dueAt[place] = dueAt;
    queues.costUs[place] = cost;
    queues.rank[place] = rank;
    queues.thenReleaseAt[place] = NEVER;
    queues.thenDueAt[place] = NEVER;
  }
}

/** Every order of jobs, with and without idling for those to come, until nothing waits. */
function isPossible(at: number, left: readonly Job[]): boolean {
  if (left.some((job) => Math.max(at, job.releaseAt) + job.cost > job.dueAt)) return false;
  const waiting = left.filter((job) => job.releaseAt <= at);
  if (waiting.length === 0) return true;
  const rank = Math.min(...waiting.map((job) => job.rank));
  const others = (job: Job): Job[] => left.filter((other) => other !== job);
  if (waiting.some((job) => job.rank === rank && isPossible(at + job.cost, others(job)))) return true;
  // Idle until a job that is not of a lower class comes, and that one next.
  return left.some((job) => job.releaseAt > at && job.rank <= rank && isPossible(job.releaseAt + job.cost, others(job)));
}

describe('the search for an order', () => {
  it('finds one exactly where trying everything does', () => {
    const random = new Prng('order search');
    const search = new OrderSearch();
    const seen = { yes: 0, no: 0 };
    for (let index = 0; index < 4_000; index += 1) {
      const jobs = Array.from({ length: random.integer(1, 5) }, (): Job => {
        const releaseAt = random.integer(0, 12);
        const cost = random.integer(1, 6);
        return { releaseAt, cost, dueAt: releaseAt + cost + random.integer(0, 10), rank: random.integer(0, 3) === 0 ? 1 : 0 };
      });
      const freeAt = random.integer(0, 4);
      fill(search, index, jobs);
      const isFound = search.find(freeAt, 1);
      expect({ freeAt, jobs, isFound }).toEqual({ freeAt, jobs, isFound: isPossible(freeAt, jobs) });
      seen[isFound ? 'yes' : 'no'] += 1;
    }
    expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(700);
  });

  it('does not look at classes below the one asked for', () => {
    const search = new OrderSearch();
    fill(search, 0, [
      { releaseAt: 0, cost: 2, dueAt: 4, rank: 0 },
      { releaseAt: 0, cost: 3, dueAt: 4, rank: 1 },
    ]);
    expect([search.find(0, 1), search.late]).toEqual([false, 1]);
    expect([search.find(0, 0), search.late]).toEqual([true, -1]);
  });

  it('goes on with the next jobs of a queue until nothing waits', () => {
    const search = new OrderSearch();
    const { queues } = search;
    // 5 of work that waits, beside 2 every 4 that must end 3 after their release: the second of those is late, the first is not.
    fill(search, 0, [
      { releaseAt: 0, cost: 5, dueAt: 20, rank: 0 },
      { releaseAt: 4, cost: 2, dueAt: 7, rank: 0 },
    ]);
    queues.thenReleaseAt[1] = 8;
    queues.thenDueAt[1] = 11;
    queues.thenCostUs[1] = 2;
    queues.intervalUs[1] = 4;
    expect(search.find(0, 0)).toBe(true);
    queues.costUs[0] = 6;
    expect(search.find(0, 0)).toBe(false);
    queues.costUs[0] = 3;
    queues.dueAt[1] = 6;
    queues.thenDueAt[1] = 10;
    expect(search.find(0, 0)).toBe(true);
  });

  it('stops when its work is spent, for one instant altogether', () => {
    const search = new OrderSearch();
    // Jobs of one length and one deadline for all, one more than fit: every order has to be tried.
    const jobs = Array.from({ length: 12 }, (_, place): Job => ({ releaseAt: place % 3, cost: 10, dueAt: 119, rank: 0 }));
    fill(search, 1, jobs);
    for (let turn = 0; turn < 20; turn += 1) expect(search.find(0, 0)).toBe(false);
    // Nothing is left for an easy question, until time goes on.
    fill(search, 1, jobs.slice(0, 2));
    expect(search.find(0, 0)).toBe(false);
    fill(search, 2, jobs.slice(0, 2));
    expect(search.find(0, 0)).toBe(true);
  });
});
