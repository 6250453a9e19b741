/** Node's pool runs four file operations at a time; a few more keep it busy. */
const LANES = 8;

/** Synchronous work never yields by itself: after this many items the event loop gets a turn. */
const ITEMS_PER_TURN = 100;

/**
 * Runs `work` on every item, a few at a time. At the first failure no further item is begun; that failure is thrown
 * when everything under way has ended, so the caller may remove what was made.
 */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed: { readonly error: unknown } | undefined;
  const lane = async () => {
    while (next < items.length && failed === undefined) {
      const item = items[next++] as T;
      try {
        await work(item);
        if (next % ITEMS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane));
  if (failed !== undefined) throw failed.error;
}

/** Whether every item passes. Once one has failed, no further item is tested. */
export async function everyInParallel<T>(items: readonly T[], passes: (item: T) => Promise<boolean>): Promise<boolean> {
  let all = true;
  await inParallel(items, async (item) => {
    if (all && !(await passes(item))) all = false;
  });
  return all;
}
