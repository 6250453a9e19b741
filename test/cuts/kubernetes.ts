import { type Cut, cutIn } from './cut.ts';

const backend = cutIn('src/backend/kubernetes/backend.ts');
const client = cutIn('src/backend/kubernetes/client/client.ts');
const watch = cutIn('src/backend/kubernetes/watch/object-watch.ts');
const kubeconfig = cutIn('src/backend/kubernetes/access/kubeconfig.ts');
const plugin = cutIn('src/backend/kubernetes/access/run-plugin.ts');
const fields = cutIn('src/backend/kubernetes/source/fields.ts');

export const KUBERNETES: readonly Cut[] = [
  watch(
    'kube-push',
    'this.#call((version) => version !== this.#version);\n        return undefined;',
    'return undefined;',
  ),
  backend('kube-push', 'if (heardMs === undefined) return undefined;', 'return undefined;', {
    by: 'makes polls free',
  }),
  backend('kube-push', 'Math.min(SILENT_MS, ', 'Math.min(1e12, ', { by: 'longer than a bookmark takes' }),
  backend('kube-push', '=== URGENCY.poll) {', '>= URGENCY.login) {', { by: 'makes polls free' }),
  watch(
    'kube-nothing-missed',
    '(this.#resumeAt ?? this.#readVersion())',
    '(this.#resumeAt === null ? this.#readVersion() : undefined)',
    { by: 'begins where a bookmark says' },
  ),
  watch(
    'kube-nothing-missed',
    'this.#resumeAt = undefined;\n    this.#version = undefined;\n    this.#call(() => true);',
    '',
    {
      by: '410',
    },
  ),
  watch(
    'kube-nothing-missed',
    'if (from !== undefined) this.#call((version) => version !== this.#version);',
    'if (from !== undefined) this.#call(() => false);',
    {
      by: 'after an outage',
    },
  ),
  cutIn('src/backend/kubernetes/watch/lines.ts')(
    'kube-nothing-missed',
    'Buffer.concat(this.#parts)',
    'Buffer.from(chunk)',
    {
      by: 'wherever its chunks',
    },
  ),
  watch('kube-no-loop', 'failures = clock.monoMs() - startedMs >= LONG_MS ? 1 : failures + 1;', 'failures = 1;'),
  watch('kube-no-loop', 'const bounds = isDenied ? DENIED :', 'const bounds = isDenied ? ENDED :', { by: 'forbidden' }),
  watch('kube-no-loop', 'if (failures === 0) {', 'if (failures >= 0) {', { by: 'always gone' }),
  watch('kube-no-loop', 'lifeS * 1000 + OVERTIME_MS', 'lifeS * 1e9', { by: 'forgets to end' }),
  backend('kube-together', '< TOGETHER_MS) return undefined;', '< 0) return undefined;'),
  fields('kube-exact', "Secret.bytes(Buffer.from(text, 'base64'))", 'Secret.text(text)'),
  backend('kube-exact', 'last !== undefined && equalValues(last.fields, fields)', 'last?.version === version', {
    by: 'a label is no new value',
  }),
  backend('kube-exact', 'life: LIFE, version };', 'life: LIFE };', { by: 'a label is no new value' }),
  cutIn('src/backend/kubernetes/client/object-ref.ts')(
    'kube-least',
    'fieldSelector: `metadata.name=${name}`',
    'labelSelector: `name=${name}`',
  ),
  cutIn('src/backend/kubernetes/policies.ts')(
    'kube-least',
    "const VERBS = ['get', 'watch']",
    "const VERBS = ['get', 'list']",
    {
      by: 'one Role for each namespace',
    },
  ),
  watch('kube-least', 'if (isDenied && !this.#isDenied)', 'if (isDenied)', { by: 'one warning' }),
  client('kube-token', 'if (isSame(connection, next)) return', 'if (!isSame(connection, next)) return', {
    by: 'read again, and',
  }),
  kubeconfig('kube-verified', "at(cluster, 'insecure-skip-tls-verify') === 'true'", 'false'),
  cutIn('src/backend/kubernetes/config/resolve.ts')(
    'kube-verified',
    'if (isReadable(parsed.address)) {',
    'if (false) {',
    {
      by: 'go out openly',
    },
  ),
  plugin('kube-plugin-bound', 'deadline(clock, timeoutMs,', 'deadline(clock, 1e12,', {
    by: 'does not end',
    slow: true,
  }),
  plugin('kube-plugin-bound', 'length > MAX_PRINTED', 'length > 1e12', { by: 'prints too much' }),
  cutIn('src/backend/kubernetes/access/exec-credential.ts')(
    'kube-plugin-bound',
    "this.#flights.run('run', () => this.#run(place))",
    'this.#run(place)',
    { by: 'kept until it ends' },
  ),
  cutIn('src/backend/kubernetes/client/refusal.ts')(
    'kube-canary',
    '`${seen}${reasonIn(answer)}`',
    "`${seen} ${plainText(answer.get('message'))}`",
  ),
  cutIn('src/config/sections/secrets/resolve-stored.ts')(
    'pod-certificate',
    'privateKey = bundle,',
    "privateKey = 'key',",
  ),
];
