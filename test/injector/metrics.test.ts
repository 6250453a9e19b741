import { describe, expect, it } from 'vitest';
import { serveMetrics } from '../../src/injector/metrics/serve-metrics.ts';
import { readExposition } from '../observe/exposition.helpers.ts';
import { createAuthority } from '../servers/certificates.ts';
import { findFreePort } from '../servers/free-port.ts';

const { certificatePem } = createAuthority('metrics').issue({ commonName: 'injector', altNames: ['localhost'] });
const injector = { startedWallMs: 1_700_000_000_000, certificate: () => certificatePem, isReady: () => true };

async function scrape(port: number, accept: string): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { Accept: accept } })).text();
}

describe('the metrics of the injector', () => {
  it('count reviews by what became of them, and begin at 0', async () => {
    const port = await findFreePort();
    await using metrics = await serveMetrics({ host: '127.0.0.1', port }, injector);
    metrics.reviewed('injected', 3);
    metrics.reviewed('injected', 30);
    metrics.reviewed('denied', 1);
    const families = await readExposition(await scrape(port, 'text/plain'), 'prometheus');
    const of = (name: string) => families.find((family) => family.name === name)?.samples ?? [];
    const counted = of('pannier_injector_reviews').map(({ labels, value }) => [labels['outcome'], value]);
    expect(Object.fromEntries(counted)).toEqual({ injected: 2, unchanged: 0, denied: 1, refused: 0, failed: 0 });
    const durations = of('pannier_injector_review_duration_seconds');
    expect(durations.find(({ name }) => name.endsWith('_count'))?.value).toBe(3);
    expect(durations.find(({ labels }) => labels['le'] === '0.005')?.value).toBe(2);
    expect(of('pannier_injector_ready')[0]?.value).toBe(1);
  });

  it('say when the certificate ends, also in OpenMetrics', async () => {
    const port = await findFreePort();
    await using _ = await serveMetrics({ host: '127.0.0.1', port }, injector);
    const families = await readExposition(await scrape(port, 'application/openmetrics-text'), 'openmetrics');
    const expiry = families.find(({ name }) => name === 'pannier_injector_certificate_expiry_timestamp_seconds');
    expect((expiry?.samples[0]?.value ?? 0) * 1000).toBeGreaterThan(Date.now());
  });

  it('are all that the port serves', async () => {
    const port = await findFreePort();
    await using _ = await serveMetrics({ host: '127.0.0.1', port }, injector);
    expect((await fetch(`http://127.0.0.1:${port}/mutate`, { method: 'POST', body: '{}' })).status).toBe(404);
  });
});
