import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/long/**'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 3,
    // Shared machines stall for seconds: a clean clone is judged by the second try, and .ci/run names who needed one.
    retry: process.env['CI'] === undefined ? 0 : 1,
    restoreMocks: true,
  },
});
