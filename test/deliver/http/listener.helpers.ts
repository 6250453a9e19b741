import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { HttpListener, LIMITS, type Limits } from '../../../src/deliver/http/listener.ts';
import { createService, type Route } from '../../../src/deliver/http/routes.ts';

export const place = (): string => mkdtempSync(join(tmpdir(), 'pannier-http-'));

/** Opens a listener on a new unix socket; it is closed when the test is over. */
export async function listen(routes: readonly Route[], limits: Partial<Limits> = {}, path = join(place(), 's')) {
  const where = { kind: 'unix', path, mode: 0o600 } as const;
  const listener = await HttpListener.open({ where, place: 'api.listeners[0]' }, createService(routes), {
    ...LIMITS,
    ...limits,
  });
  onTestFinished(() => listener[Symbol.asyncDispose]());
  return { path, listener };
}

export interface Got {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

export function ask(socketPath: string, path: string, method = 'GET', body?: string, headers = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A bare connection, to send what no HTTP client would send. */
export async function dial(path: string): Promise<Socket> {
  const socket = connect({ path });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Reads until the other side closes. */
export function rest(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let all = '';
    socket.on('data', (chunk) => {
      all += chunk;
    });
    socket.on('close', () => resolve(all));
  });
}
