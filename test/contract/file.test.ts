import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileBackend } from '../../src/backend/file/backend.ts';
import { systemClock } from '../../src/base/clock.ts';
import { wantOf } from '../memory-backend.ts';
import { describeContract } from './contract.ts';

describeContract({
  name: 'file',
  cannot: {
    denied: 'a file that may not be read is trouble of the backend (BACKEND_FILE), and root reads all files',
    slow: 'a file answers or fails; there is no deadline',
    throttled: 'no file asks to slow down',
    restarted: 'there is no server',
  },
  async open() {
    const dir = await mkdtemp(join(tmpdir(), 'pannier-contract-'));
    const config = { kind: 'file', name: 'local', path: dir } as const;
    const backend = createFileBackend(config, { emit: () => {}, clock: systemClock });
    return {
      backend,
      want: wantOf,
      put: (name, value) =>
        typeof value === 'string'
          ? writeFile(join(dir, `${name}.json`), JSON.stringify({ password: value }))
          : writeFile(join(dir, name), value),
      valueOf: (fields) => fields.get('password') ?? fields.get('value'),
      remove: (name) => rm(join(dir, `${name}.json`)),
      async [Symbol.asyncDispose]() {
        await backend[Symbol.asyncDispose]();
        await rm(dir, { recursive: true });
      },
    };
  },
});
