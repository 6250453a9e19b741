import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Publishes requests as node:http does, and prints after how many nobody listens any longer. */
const PROGRAM = `
import { channel } from 'node:diagnostics_channel';
import { releaseStartMemory, spareMemory } from './src/cli/sparing.ts';
const sent = channel('http.client.request.start');
const received = channel('http.server.request.start');
spareMemory();
releaseStartMemory();
let requests = 0;
while (received.hasSubscribers && requests < 1_000) [sent, received][requests++ % 2].publish({});
console.log(requests, sent.hasSubscribers);
`;

test('an agent that stays counts its requests until it is busy, and no longer', async () => {
  const argv = ['--input-type=module', '-e', PROGRAM];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, argv, { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['250 false\n', '']);
});
