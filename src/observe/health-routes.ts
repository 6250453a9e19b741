import { jsonReply, type Reply } from '../deliver/http/reply.ts';
import type { Route } from '../deliver/http/routes.ts';
import type { Check, HealthWatch } from './health-watch.ts';

/** How many problems, and how many warnings, one answer lists. */
const MAX_LISTED = 20;

const PATHS: readonly (readonly [path: string, check: Check])[] = [
  ['/startupz', 'startup'],
  ['/readyz', 'ready'],
  ['/livez', 'live'],
];

/**
 * The routes for health, which are answered even when all connections are taken.
 * @param maxListed how many problems, and how many warnings, an answer lists; 0: it says only how many there are, for
 * listeners that must not show names.
 */
export function createHealthRoutes(watch: HealthWatch, maxListed = MAX_LISTED): readonly Route[] {
  return PATHS.map(([path, check]) => {
    return { method: 'GET', path, vital: true, handle: () => answer(watch, check, maxListed) };
  });
}

/** 200, or 503 with the problems: codes, places and messages of the agent. */
function answer(watch: HealthWatch, check: Check, maxListed: number): Reply {
  const { problems, warnings } = watch.check(check);
  const isOk = problems.length === 0;
  return jsonReply(isOk ? 200 : 503, {
    check,
    status: isOk ? 'ok' : 'failing',
    problems: problems.slice(0, maxListed).map(shown),
    ...more('moreProblems', problems, maxListed),
    warnings: warnings.slice(0, maxListed).map(shown),
    ...more('moreWarnings', warnings, maxListed),
  });
}

function shown({ code, place, seen, hint }: ReturnType<HealthWatch['check']>['problems'][number]) {
  return { code, place, seen, hint };
}

function more(key: string, { length }: { readonly length: number }, maxListed: number): Record<string, number> {
  return length > maxListed ? { [key]: length - maxListed } : {};
}
