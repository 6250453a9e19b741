/** What `pannier init` may take of what `bao agent` takes for the same secrets. */
export interface Goal {
  readonly wall?: number;
  readonly peak?: number;
}

/** By the number of secrets, in one output. */
export const GOALS: ReadonlyMap<number, Goal> = new Map([
  [1, { wall: 0.65, peak: 0.75 }],
  [10, { wall: 0.65 }],
  [100, { wall: 0.45 }],
  [1_000, { wall: 0.3, peak: 0.5 }],
  [5_000, { peak: 0.2 }],
]);

/** The same where each of a hundred secrets is an output of its own. */
export const MANY_OUTPUTS: Goal & { readonly outputs: number } = { outputs: 100, wall: 0.6 };

/** Requests of a start: one a secret, one for their mount, and the login. */
export function requestGoal(secrets: number): number {
  return secrets + 2;
}

/** Connections of a start, however many secrets there are. */
export const CONNECTION_GOAL = 16;
