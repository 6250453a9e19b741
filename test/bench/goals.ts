/** What `pannier init` may take of what `bao agent` takes for the same secrets, by how many there are. */
export const GOALS: ReadonlyMap<number, { readonly wall?: number; readonly peak?: number }> = new Map([
  [1, { wall: 0.6, peak: 0.8 }],
  [10, { wall: 0.6 }],
  [100, { wall: 0.45 }],
  [1_000, { wall: 0.3, peak: 0.55 }],
  [5_000, { peak: 0.25 }],
]);

/** Requests of a start: one a secret, one for their mount, and the login. */
export function requestGoal(secrets: number): number {
  return secrets + 2;
}

/** Connections of a start, however many secrets there are. */
export const CONNECTION_GOAL = 16;
