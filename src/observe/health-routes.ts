import { JSON_TYPE, type Reply } from '../deliver/http/reply.ts';
import type { Route } from '../deliver/http/routes.ts';
import type { Check, HealthWatch } from './health-watch.ts';

/** Largest number of problems, and of warnings, in one answer. */
const MOST_TOLD = 20;

const PATHS: readonly (readonly [path: string, check: Check])[] = [
  ['/startupz', 'startup'],
  ['/readyz', 'ready'],
  ['/livez', 'live'],
];

/** Health as rows of a route table; answered also when all connections are taken. */
export function healthRoutes(watch: HealthWatch): readonly Route[] {
  return PATHS.map(([path, check]) => ({ method: 'GET', path, vital: true, handle: () => answer(watch, check) }));
}

/** 200 or 503, and what is wrong: codes, places and our own words. */
function answer(watch: HealthWatch, check: Check): Reply {
  const { problems, warnings } = watch.check(check);
  const isOk = problems.length === 0;
  const body = {
    check,
    status: isOk ? 'ok' : 'failing',
    problems: problems.slice(0, MOST_TOLD).map(told),
    ...more('moreProblems', problems),
    warnings: warnings.slice(0, MOST_TOLD).map(told),
    ...more('moreWarnings', warnings),
  };
  return { status: isOk ? 200 : 503, type: JSON_TYPE, body: `${JSON.stringify(body)}\n` };
}

function told({ code, place, seen, hint }: ReturnType<HealthWatch['check']>['problems'][number]) {
  return { code, place, seen, hint };
}

function more(key: string, { length }: { readonly length: number }): Record<string, number> {
  return length > MOST_TOLD ? { [key]: length - MOST_TOLD } : {};
}
