import { request } from 'node:http';
import { type Family, readExposition } from '../observe/exposition.helpers.ts';

export interface Answered {
  readonly status: number;
  readonly body: string;
}

export interface Health {
  readonly status: number;
  readonly problems: readonly { readonly code: string; readonly place: string; readonly seen: string }[];
  readonly warnings: readonly { readonly code: string; readonly place: string }[];
}

/** One request to a listener of the agent, over its socket or its port; rejects without an answer in five seconds. */
export function get(where: string | number, path: string, headers = {}, method = 'GET'): Promise<Answered> {
  const to = typeof where === 'string' ? { socketPath: where } : { host: '127.0.0.1', port: where };
  return new Promise((resolve, reject) => {
    const sent = request({ ...to, method, path, headers, agent: false, timeout: 5_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end();
  });
}

/** The answer of a health check. */
export async function health(where: string | number, check: 'startupz' | 'readyz' | 'livez'): Promise<Health> {
  const { status, body } = await get(where, `/${check}`);
  return { ...JSON.parse(body), status };
}

/** `CODE place` of each problem. */
export const problemsOf = ({ problems }: Health): string[] => problems.map(({ code, place }) => `${code} ${place}`);

/** The metrics of a scrape, parsed as Prometheus does. */
export async function scrape(where: string | number): Promise<readonly Family[]> {
  return readExposition((await get(where, '/metrics')).body, 'prometheus');
}
