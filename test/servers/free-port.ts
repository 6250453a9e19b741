/** A TCP port on 127.0.0.1 for a server that cannot pick its own. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Resolves to a port without a listener a moment ago. It lies below the ephemeral ranges of Linux and macOS, so no
 * outgoing connection takes it while a killed server is away. Another process may still take the port first: callers
 * retry.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}
