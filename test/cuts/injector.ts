import { type Cut, cutIn } from './cut.ts';

const mutate = cutIn('src/injector/mutate.ts');
const patch = cutIn('src/injector/pod/patch.ts');
const own = cutIn('src/injector/annotations/read-own.ts');
const vault = cutIn('src/injector/annotations/read-vault.ts');
const settings = cutIn('src/injector/settings.ts');
const containers = cutIn('src/injector/pod/agent-containers.ts');

export const INJECTOR: readonly Cut[] = [
  patch(
    'injector-adds',
    'if (!Array.isArray(before)) this.add(path, items);',
    'if (before !== 0) this.add(path, items);',
  ),
  mutate('injector-once', 'return isOurs || (', 'return (isOurs && isTheirs) || ('),
  mutate('injector-once', "own.get(STATUS) === 'injected' && (", "own.get(STATUS) === 'injected' || (", {
    by: 'becomes what',
  }),
  own('injector-names-wrong', 'tellUnknown(all, reader);', ''),
  vault('injector-names-wrong', "if (known?.is === 'no place' || (", "if (known?.is !== 'converted' || (", {
    by: 'becomes what',
  }),
  settings('injector-fits', 'exceeds(requests[name], amount)', 'false'),
  settings('injector-fits', 'exceeds(amount, limits[name])', 'false'),
  containers('injector-schema', 'readOnlyRootFilesystem: true,', '', { by: 'restricted' }),
  containers('injector-schema', "restartPolicy: 'Always'", 'restartPolicy: 1'),
  vault('injector-vault-bytes', 'else forImport.set(name, value);', 'else forImport.set(name, value.trim());'),
  cutIn('src/import/config/templates.ts')(
    'injector-commands',
    "if (kept === 'only signals') notes.problem(",
    'if (false) notes.problem(',
    {
      by: 'needs a program',
    },
  ),
  cutIn('src/config/load.ts')(
    'injector-reads-nothing',
    "return Promise.resolve(path === options.given.path ? options.given.text : 'x');",
    'if (path === options.given.path) return Promise.resolve(options.given.text);',
  ),
  cutIn('src/injector/annotations/reader.ts')(
    'injector-reads-nothing',
    "`must be one of ${choices.join(', ')}`",
    "`must be one of ${choices.join(', ')}, not ${text}`",
    { by: 'may be a secret' },
  ),
  cutIn('src/injector/server/server.ts')(
    'injector-bounded',
    'MAX_BODY_BYTES = 3 * 1024 * 1024',
    'MAX_BODY_BYTES = 9 * 1024 * 1024',
  ),
  cutIn('src/injector/config/value-count.ts')(
    'injector-little-work',
    'return this.#count > MAX_VALUES;',
    'return this.#count > 10 * MAX_VALUES;',
    { by: 'two thousand values' },
  ),
  mutate('injector-little-work', 'checkCount(spec, wrong);', '', { by: 'becomes what' }),
  mutate('injector-little-work', 'if (!checkAdded(', 'if (dirs.length < 0 && !checkAdded(', { by: 'becomes what' }),
  cutIn('src/injector/certificate/self-made.ts')(
    'injector-certificate',
    'const own = [shown, next]',
    'const own = [shown]',
  ),
  cutIn('src/injector/certificate/ca-bundle.ts')('injector-certificate', 'Date.parse(parsed.validTo) > nowMs &&', '', {
    by: 'keeps those of other replicas',
  }),
  cutIn('src/http/serving/pair-of-files.ts')(
    'injector-certificate',
    'if (!fits) throw',
    'if (fits === undefined) throw',
    {
      by: 'is read again when it changes',
    },
  ),
  containers('injector-policy', 'periodSeconds: 1,', 'periodSeconds: 2,', { by: 'of the code' }),
  cutIn('examples/kubernetes/admission-policy.yaml')('injector-policy', '[Deny]', '[Audit]', { by: 'deny in every' }),
  cutIn('src/injector/metrics/create-metrics.ts')(
    'injector-metrics',
    'reviews.inc({ outcome }, 0)',
    'reviews.inc({ outcome })',
  ),
  cutIn('src/injector/server/server.ts')('injector-metrics', "isInjected ? 'injected' : 'unchanged'", "'injected'", {
    by: 'answers a review',
  }),
  cutIn('examples/helm/pannier-injector/templates/service.yaml')(
    'injector-chart',
    'targetPort: webhook',
    'targetPort: {{ randInt 1 9 }}',
  ),
];
