import { JSON_TYPE, type Reply } from '../deliver/http/reply.ts';
import type { Route } from '../deliver/http/routes.ts';
import type { Check, HealthWatch } from './health-watch.ts';

/** Largest number of problems, and of warnings, in one answer. */
const MAX_TOLD = 20;

const PATHS: readonly (readonly [path: string, check: Check])[] = [
  ['/startupz', 'startup'],
  ['/readyz', 'ready'],
  ['/livez', 'live'],
];

/**
 * Health as rows of a route table; answered also when all connections are taken.
 * @param mostTold problems, and warnings, that are told; 0: only how many there are, where names are not to be shown.
 */
export function createHealthRoutes(watch: HealthWatch, mostTold = MAX_TOLD): readonly Route[] {
  return PATHS.map(([path, check]) => {
    return { method: 'GET', path, vital: true, handle: () => answer(watch, check, mostTold) };
  });
}

/** 200 or 503, and what is wrong: codes, places and our own words. */
function answer(watch: HealthWatch, check: Check, mostTold: number): Reply {
  const { problems, warnings } = watch.check(check);
  const isOk = problems.length === 0;
  const body = {
    check,
    status: isOk ? 'ok' : 'failing',
    problems: problems.slice(0, mostTold).map(told),
    ...more('moreProblems', problems, mostTold),
    warnings: warnings.slice(0, mostTold).map(told),
    ...more('moreWarnings', warnings, mostTold),
  };
  return { status: isOk ? 200 : 503, type: JSON_TYPE, body: `${JSON.stringify(body)}\n` };
}

function told({ code, place, seen, hint }: ReturnType<HealthWatch['check']>['problems'][number]) {
  return { code, place, seen, hint };
}

function more(key: string, { length }: { readonly length: number }, mostTold: number): Record<string, number> {
  return length > mostTold ? { [key]: length - mostTold } : {};
}
