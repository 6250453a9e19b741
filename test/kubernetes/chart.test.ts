import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { isOfKubernetes, render } from '../examples/helm.helpers.ts';
import { CHART } from '../examples/rendered.ts';
import { findHelms, runHelm } from '../servers/helm.ts';
import { noKubernetes } from '../servers/kubernetes.ts';
import { apply, onKubernetes, RESTRICTED, useKubernetes } from './cluster.helpers.ts';
import { WEBHOOK, WEBHOOK_PATH } from './injector.helpers.ts';

const helms = await findHelms();
const [helm = 'helm'] = helms;
const server = useKubernetes();
const isSkipped = noKubernetes !== undefined || helms.length === 0;
const title =
  helms.length === 0 ? 'the chart: skipped (helm is built by npm run test:chart)' : onKubernetes('the chart');

describe.skipIf(isSkipped)(title, { timeout: 120_000 }, () => {
  beforeAll(async () => {
    await server().addNamespace('open');
    for (const name of ['restricted', 'pannier']) await server().addNamespace(name, RESTRICTED);
  });

  it('is taken whole and without a warning with each set of values', async () => {
    for (const file of globSync('test/fixtures/helm/*.yaml').sort()) {
      // The network of nodes is not for a namespace where the standard "restricted" holds.
      const namespace = file.includes('on-hosts') ? 'open' : 'restricted';
      for (const object of (await render(helm, { namespace, values: [file] })).objects.filter(isOfKubernetes)) {
        const { body, warnings } = await apply(server(), object, { namespace, dryRun: true });
        expect([file, object.kind, body.message, warnings]).toEqual([file, object.kind, undefined, []]);
      }
    }
  });

  it.each(helms)('%s keeps caBundle, which the injector wrote, through an upgrade', async (binary) => {
    const cluster = ['--kubeconfig', server().kubeconfig];
    const helmOf = (...args: string[]) => runHelm(binary, [...args, ...cluster, '--namespace', 'pannier']);
    expect(await helmOf('install', 'pannier', CHART)).toMatchObject({ status: 0 });
    const caBundle = Buffer.from('-----BEGIN CERTIFICATE-----\n').toString('base64');
    const patch = [0, 1].map((at) => ({ op: 'add', path: `/webhooks/${at}/clientConfig/caBundle`, value: caBundle }));
    const args = ['patch', 'mutatingwebhookconfiguration', WEBHOOK, '--type=json', '-p', JSON.stringify(patch)];
    await promisify(execFile)('kubectl', [...args, ...cluster]);
    expect(await helmOf('upgrade', 'pannier', CHART, '--set', 'webhook.timeoutSeconds=7')).toMatchObject({ status: 0 });
    const { webhooks } = (await server().ask('GET', WEBHOOK_PATH)).body;
    expect(webhooks).toMatchObject([
      { timeoutSeconds: 7, clientConfig: { caBundle } },
      { timeoutSeconds: 7, clientConfig: { caBundle } },
    ]);
    expect(await helmOf('uninstall', 'pannier')).toMatchObject({ status: 0 });
  });
});
