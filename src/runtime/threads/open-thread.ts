import { Worker } from 'node:worker_threads';

/**
 * Starts a worker thread. `entry`: its file without the extension. Compiled, it lies there as .js. Run from source (tests, tools), a thread of Node 20 does not inherit the
 * loader of TypeScript and has to register it by itself.
 */
export function openThread(entry: URL, workerData: unknown): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL(`${entry.href}.js`), { workerData });
  const file = JSON.stringify(`${entry.href}.ts`);
  return new Worker(`import('tsx/esm/api').then(({ register }) => { register(); return import(${file}); })`, { eval: true, workerData });
}
