import { defineConfig } from 'vitest/config';

/** What waits for minutes, in `npm run test:long`: all at the same time, so that the longest silence covers the rest. */
export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts'],
    testTimeout: 420_000,
    hookTimeout: 240_000,
    maxWorkers: 6,
    maxConcurrency: 20,
    // As in the quick tests: shared machines stall for seconds, and the summary shows who needed a second try.
    retry: process.env['CI'] === undefined ? 0 : 1,
    restoreMocks: true,
  },
});
