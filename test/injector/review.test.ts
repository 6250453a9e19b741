import { describe, expect, it } from 'vitest';
import { review } from '../../src/injector/review.ts';
import { answerTo, DEFAULTS, operationsOf, patched, reviewOf } from './review.helpers.ts';

const pod = {
  metadata: {
    name: 'shop',
    annotations: {
      'pannier.dev/inject': 'true',
      'pannier.dev/role': 'shop',
      'pannier.dev/secret-app': '{ kv: secret/shop/app }',
      'pannier.dev/file-app.env': '{ format: dotenv, from: app }',
    },
  },
  spec: { containers: [{ name: 'app', image: 'x' }] },
};

describe('an AdmissionReview', () => {
  it('is answered with its uid, its version and a JSON patch', async () => {
    const { review: answer } = await answerTo(pod);
    expect(answer).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: '705ab4f5-6393-11e8-b7cc-42010a800002', allowed: true, patchType: 'JSONPatch' },
    });
  });

  it.each([
    ['of v1beta1', { ...reviewOf(pod), apiVersion: 'admission.k8s.io/v1beta1' }],
    ['of another kind', { ...reviewOf(pod), kind: 'ConversionReview' }],
    ['without a uid', reviewOf(pod, { uid: '' })],
    ['without a request', { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: null }],
    ['that is null', null],
    ['that is a list', [reviewOf(pod)]],
  ])('%s is not taken', async (_, asked) => {
    expect(await review(asked, DEFAULTS)).toBeUndefined();
  });

  it.each([
    ['another kind', { kind: { group: 'apps', version: 'v1', kind: 'Deployment' } }],
    ['a subresource', { subResource: 'ephemeralcontainers' }],
    ['a Pod of another group', { kind: { group: 'x.io', version: 'v1', kind: 'Pod' } }],
  ])('for %s is allowed with a warning', async (_, more) => {
    const answer = await answerTo(pod, DEFAULTS, more);
    expect(answer.review.response).toMatchObject({ allowed: true, warnings: [expect.stringContaining('for pods')] });
    expect(operationsOf(answer)).toEqual([]);
  });

  it.each(['UPDATE', 'DELETE', 'CONNECT'])('for %s changes nothing', async (operation) => {
    const answer = await answerTo(pod, DEFAULTS, { operation });
    expect(answer.review.response).toEqual({ uid: expect.any(String), allowed: true });
  });

  it('with an object that is null is allowed as it is', async () => {
    expect((await answerTo(null)).review.response).toEqual({ uid: expect.any(String), allowed: true });
  });

  it('for a dry run has the answer of any other review', async () => {
    const [dry, other] = [await answerTo(pod, DEFAULTS, { dryRun: true }), await answerTo(pod)];
    expect(dry.review).toEqual(other.review);
  });

  it('for a pod of kube-system is denied, but only when the pod asks for an agent', async () => {
    expect((await answerTo(pod, DEFAULTS, { namespace: 'kube-system' })).denied).toBe(
      'no pod of kube-system is injected',
    );
    const other = { ...pod, metadata: {} };
    expect((await answerTo(other, DEFAULTS, { namespace: 'kube-system' })).review.response.allowed).toBe(true);
  });

  it('has warnings of at most 120 characters, which name every annotation without an effect', async () => {
    const idle = ['go-max-procs', 'auth-min-backoff', 'auth-max-backoff', 'client-max-retries', 'agent-image'];
    const annotations = Object.fromEntries(
      [
        ['agent-inject', 'true'],
        ['role', 'x'],
        ['agent-inject-secret-a', 'kv1/a'],
        ...idle.map((name) => [name, '1']),
      ].map(([name, value]) => [`vault.hashicorp.com/${name}`, value]),
    );
    const { warnings } = (await answerTo({ ...pod, metadata: { annotations } })).review.response;
    expect(warnings?.every((warning) => warning.length <= 120)).toBe(true);
    const named = warnings?.flatMap((warning) => warning.replace('no effect with Pannier: ', '').split(', '));
    expect(named).toEqual(idle.map((name) => `vault.hashicorp.com/${name}`));
  });

  it.each([
    ['pannier.dev/limits-memory', '64Mi', ['the limit of 64Mi of memory is small']],
    ['pannier.dev/limits-memory', '96Mi', []],
  ])('with %s: %s warns of a limit that is too small for the agent', async (name, value, expected) => {
    const annotations = { ...pod.metadata.annotations, [name]: value };
    const { warnings = [] } = (await answerTo({ ...pod, metadata: { annotations } })).review.response;
    expect(warnings).toEqual(expected.map((text) => expect.stringContaining(text)));
  });

  it('takes what a pod does not say from the command line of the injector', async () => {
    const defaults = { ...DEFAULTS, authMount: 'k8s', audience: 'bao', caConfigMap: 'bao-ca', image: 'r.io/pannier:1' };
    const result = patched(pod, await answerTo(pod, defaults));
    const text = result.metadata.annotations['pannier.dev/effective-config'];
    expect(text).toContain('mount: k8s');
    expect(text).toContain('caFile: /etc/pannier/ca.crt');
    expect(result.spec.initContainers[0].image).toBe('r.io/pannier:1');
    expect(JSON.stringify(result.spec.volumes)).toContain('"audience":"bao"');
  });

  it('reads no file and no variable that a configuration names', async () => {
    const config = {
      version: 1,
      backends: {
        b: {
          kind: 'vault',
          address: 'https://x',
          auth: { method: 'kubernetes', role: `\${file:/nowhere/role}` },
        },
      },
      secrets: { a: { kv: 's/a' } },
      outputs: { o: { dir: '/run/o', files: { a: { content: '{{a.x}}' } } } },
    };
    const annotations = { 'pannier.dev/inject': 'true', 'pannier.dev/config': JSON.stringify(config) };
    const answer = await answerTo({ ...pod, metadata: { annotations } });
    expect(answer.denied).toBeUndefined();
    expect(JSON.stringify(operationsOf(answer))).toContain(`\${file:/nowhere/role}`);
    const withVariable = JSON.stringify(config).replace(/\$\{file:[^}]*\}/, '$${env:PATH}');
    const refused = await answerTo({
      metadata: { annotations: { ...annotations, 'pannier.dev/config': withVariable } },
    });
    expect(refused.denied).toContain('PATH');
    expect(refused.denied).not.toContain(process.env['PATH']);
  });

  it('with a value that may be a secret does not show it in its denial', async () => {
    const annotations = {
      ...pod.metadata.annotations,
      'pannier.dev/secret-app': '{ kv: c4n4ry-x',
      'pannier.dev/mode': 'c4n4ry-y',
    };
    const { denied } = await answerTo({ ...pod, metadata: { annotations } });
    expect(denied).toContain('pannier.dev/mode must be one of');
    expect(denied).not.toContain('c4n4ry');
  });
});
