import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The first test that fails ends a run: what takes milliseconds comes before what tries thousands of inputs. */
class QuickTestsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('.prop.test.ts');
    return [...files.filter((file) => !isSlow(file)), ...files.filter(isSlow)];
  }
}

/** For the runs that `main.ts` starts, in processes of their own: they hear from it which tests are wanted. */
export default defineConfig({
  test: {
    include: process.env['MUTATION_TESTS']?.split(',') ?? [],
    sequence: { sequencer: QuickTestsFirst },
    testTimeout: 10_000,
    hookTimeout: 10_000,
    // Nothing here keeps anything that another file's tests would find, and a process for each file costs more than its tests.
    isolate: false,
    restoreMocks: true,
  },
});
