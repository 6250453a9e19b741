import type { ListenConfig } from '../../config/config.ts';

/** A listener's name in messages, facts and audit lines: `unix:///run/pannier/api.sock` or `127.0.0.1:8270`. */
export function nameOfListen(where: ListenConfig): string {
  if (where.kind === 'unix') return `unix://${where.path}`;
  return where.host.includes(':') ? `[${where.host}]:${where.port}` : `${where.host}:${where.port}`;
}
