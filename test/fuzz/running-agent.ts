import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type Agent, createPlace, startAgent } from '../system/agent.helpers.ts';
import { CANARY } from './border.ts';

/** What clients may read; all else that the agent holds is CANARY. */
export const SHOWN = 'ShOwN3fP';

const ANSWERS: Readonly<Record<string, object>> = {
  '/v1/auth/approle/login': {
    auth: { client_token: `${CANARY}-token`, accessor: CANARY, lease_duration: 3600, renewable: true },
  },
  '/v1/sys/internal/ui/mounts/secret/app': { data: { path: 'secret/', type: 'kv', options: { version: '1' } } },
  '/v1/sys/internal/ui/mounts/secret/hidden': { data: { path: 'secret/', type: 'kv', options: { version: '1' } } },
  '/v1/secret/app': { data: { password: SHOWN } },
  '/v1/secret/hidden': { data: { password: CANARY } },
};

/** The built agent, with every service, on sockets of a private directory. */
export interface RunningAgent extends AsyncDisposable {
  readonly api: string;
  readonly admin: string;
  readonly proxy: string;
  readonly sds: string;
  /** What the agent printed since the last call. @throws when the agent has ended. */
  printed(): string;
}

export async function startRunningAgent(): Promise<RunningAgent> {
  const place = await createPlace();
  const server = createServer(({ url = '' }, response) => {
    const answer = ANSWERS[url.replace(/\?.*/, '')];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { errors: [] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = (name: string) => join(place.dir, name);
  await writeFile(at('secret-id'), CANARY);
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = await place.config({
    backends: {
      bao: { kind: 'vault', address, auth: { method: 'approle', roleId: 'r', secretIdFile: './secret-id' } },
    },
    secrets: { app: { kv: 'secret/app', refresh: '24h' }, hidden: { kv: 'secret/hidden', refresh: '24h' } },
    outputs: { o: { dir: './out', files: { a: { format: 'json', from: ['hidden'] } } } },
    api: { audit: 'all', listeners: [{ socket: './api.sock', secrets: ['app'] }] },
    admin: { socket: './admin.sock' },
    proxy: { socket: './proxy.sock', backend: 'bao', useAutoAuthToken: true },
    sds: { socket: './sds.sock', secrets: { app: { generic: 'app.password' } } },
  });
  const agent: Agent = startAgent(['run', '-c', config]);
  await agent.waitFor('output-published');
  await agent.waitFor('listener-opened', { count: 4 });
  let ended: number | undefined;
  void agent.ended.then((status) => {
    ended = status;
  });
  let from = 0;
  return {
    api: at('api.sock'),
    admin: at('admin.sock'),
    proxy: at('proxy.sock'),
    sds: at('sds.sock'),
    printed() {
      const text = agent.output().slice(from);
      from += text.length;
      if (ended !== undefined) throw new Error(`the agent ended with ${ended}: ${text}`);
      return text;
    },
    async [Symbol.asyncDispose]() {
      await agent.stop();
      server.closeAllConnections();
      server.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** Sends bytes, and reads until the server ends the connection or sends nothing for a moment. */
export function sendRaw(path: string, bytes: Uint8Array, quietMs: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ path });
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    let timer = setTimeout(end, 500);
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(end, quietMs);
    });
    socket.on('error', end);
    socket.on('close', end);
    socket.end(bytes);
  });
}
