/** The agent's own process, and its clock. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../../system/agent.helpers.ts';
import type { FaultCase, Scene, Setup } from '../case.ts';
import { faketimeLibrary } from '../needs.ts';
import { isLetIn, userOf } from './access.ts';

const group = 'The process and its clock';
const on = 'OpenBao';
/** The agent reads its wall clock from a file: `+0`, then whatever a case writes. */
const withOwnClock: Setup = {
  prepare: async ({ dir }) => {
    await writeFile(join(dir, 'clock'), '+0');
    return {
      env: {
        LD_PRELOAD: faketimeLibrary ?? '',
        FAKETIME_TIMESTAMP_FILE: join(dir, 'clock'),
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    };
  },
};

const jump = (id: string, fault: string, by: string): FaultCase => ({
  id,
  group,
  fault,
  on,
  needs: 'faketime',
  setup: withOwnClock,
  inject: ({ dir }) => writeFile(join(dir, 'clock'), by),
  heal: ({ dir }) => writeFile(join(dir, 'clock'), '+0'),
  recovers: ({ agent }) => agent.waitFor('clock-jumped', { withinMs: 40_000 }),
  expect: { secret: 'fresh', rotated: 'in the fault' },
});

export const PROCESS: readonly FaultCase[] = [
  jump('clock-forward', 'the clock jumps forward by a day', '+1d'),
  jump('clock-back', 'the clock jumps back by a day', '-1d'),
  {
    id: 'suspended',
    group,
    fault: 'the agent is suspended (SIGSTOP) for longer than its lease of a database user lives',
    on,
    setup: {
      world: { database: true, databaseTtl: '3s' },
      more: (dir) => ({
        secrets: { db: { read: 'database/creds/shop' } },
        outputs: { db: { dir: join(dir, 'db'), files: { user: { content: '{{db.username}} {{db.password}}' } } } },
      }),
    },
    inject: suspendPastLease,
    heal: () => undefined,
    recovers: (scene) => eventually(async () => expect(await isLetIn(scene)).toBe(true)),
    expect: { of: 'db', secret: 'fresh', rotated: 'in the fault' },
  },
];

async function suspendPastLease(scene: Scene): Promise<void> {
  await userOf(scene);
  scene.agent.kill('SIGSTOP');
  try {
    await eventually(async () => expect(await isLetIn(scene)).toBe(false), 30_000);
  } finally {
    scene.agent.kill('SIGCONT');
  }
}
