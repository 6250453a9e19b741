/** The logging driver `fluentd` of the Docker daemon: test/fixtures/docker-fluentd. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ensureGoProgram } from './go-program.ts';

/**
 * Sends `text` to the unix socket of a receiver, as the daemon sends what a container has written to `stream`; resolves
 * when the receiver has it. It needs `go` on the PATH (see `hasGo`).
 */
export async function sendAsDocker(text: string, stream: 'stdout' | 'stderr', socket: string): Promise<void> {
  const child = spawn(await ensureGoProgram('docker-fluentd'), [socket, stream], { stdio: ['pipe', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    told += chunk;
  });
  child.stdin.end(text);
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`docker-fluentd ended with ${status}: ${told}`);
}
