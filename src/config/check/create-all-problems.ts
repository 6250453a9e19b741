import { AllProblems } from '../problems/all-problems.ts';
import type { BackendKindConfig } from '../sections/backends/kind.ts';
import { loadSchemas } from './schemas.ts';
import { createZodChecker } from './zod-checker.ts';

/** What finds all problems of a configuration with these kinds of backends. */
export async function createAllProblems(
  kinds: readonly BackendKindConfig[],
  hasSeveralFiles: () => boolean,
): Promise<AllProblems> {
  return new AllProblems(createZodChecker(await loadSchemas(kinds)), hasSeveralFiles);
}
