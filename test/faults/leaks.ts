/** Checks after each test that no socket, server, timer or file watcher is left. */
import { afterEach, beforeEach, expect } from 'vitest';

const COUNTED = new Set(['TCPSocketWrap', 'TCPServerWrap', 'TLSWrap', 'PipeConnectWrap', 'Timeout', 'FSEventWrap']);

/** Registers the check for every test of this file. To be called before other hooks are: it must run after them. */
export function expectNoLeaks(): void {
  let before: Record<string, number>;
  beforeEach(() => {
    before = count();
  });
  afterEach(async () => {
    // Closing takes a few turns of the event loop; a resource that still exists after a second is a leak.
    for (let tries = 0; tries < 50 && grown(before).length > 0; tries++) await new Promise((r) => setTimeout(r, 20));
    expect(grown(before), 'left behind').toEqual([]);
  });
}

function grown(before: Record<string, number>): string[] {
  return Object.entries(count()).flatMap(([kind, now]) => (now > (before[kind] ?? 0) ? [kind] : []));
}

function count(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) if (COUNTED.has(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
