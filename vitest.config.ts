import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/support/closing-line-reporter.ts';

/** One project per kind of test; `npm test` runs all of them, `npx vitest run --project unit` one. */
const project = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: testTimeout,
    setupFiles: ['test/support/fast-check-seed.ts'],
  },
});

export default defineConfig({
  test: {
    // Real children and real models share two cores with the tests themselves, so files run two at a time.
    maxWorkers: 2,
    reporters: ['default', new ClosingLineReporter()],
    projects: [
      { test: { name: 'tidy', include: ['test/tidy.test.ts'] } },
      project('unit', 10_000),
      project('property', 60_000),
      project('simulation', 60_000),
      project('conformance', 60_000),
      project('integration', 120_000),
    ],
  },
});
