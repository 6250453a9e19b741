import { held, inFile, type Section } from './promise.ts';

const watch = inFile('test/backend/kubernetes/watch.test.ts', 'a watch of one object');
const lines = inFile('test/backend/kubernetes/lines.test.ts', 'the lines of a stream');
const unlasting = inFile('test/backend/kubernetes/object-watch.test.ts', 'a watch that does not last');
const object = inFile('test/backend/kubernetes/source.test.ts', 'an object of Kubernetes');
const refusal = inFile('test/backend/kubernetes/source.test.ts', 'a refusal of the API server');
const token = inFile('test/backend/kubernetes/source.test.ts', 'the token of a pod');
const file = inFile('test/backend/kubernetes/kubeconfig.test.ts', 'a kubeconfig');
const plugin = inFile('test/backend/kubernetes/kubeconfig.test.ts', 'a credential plugin');
const section = inFile('test/config/kubernetes.test.ts', 'a backend of kind kubernetes');
const policy = inFile('test/cli/policy-kubernetes.test.ts', 'the Roles of a configuration');
const pod = inFile('test/system/pod-certificate.test.ts', 'a pod certificate');
const canary = inFile(
  'test/system/canary-kubernetes.test.ts',
  'of a cluster no value and no credential comes out anywhere but in the outputs',
);

export const kubernetesSource: Section = {
  name: 'Kubernetes as a source',
  promises: [
    held(
      'kube-push',
      'A change of a Secret or ConfigMap is told by a watch, and nothing is polled while the watch is open.',
      watch('tells of a change at once, and of no other object'),
      watch(
        'makes polls free: while it is open and silent, none of them asks the server; a refresh that was asked for does',
      ),
      watch(
        'that is silent for longer than a bookmark takes is no answer, and what it tells is as old as what was last heard',
      ),
      watch('tells when the object is deleted, and again when it is made anew'),
      watch('of an object that is not there yet tells when it is made'),
      watch('is shared by all wants of the object, and ends with the last of them'),
    ),
    held(
      'kube-nothing-missed',
      'No change is missed between a read and its watch, between two watches, or where the server has forgotten the place (410).',
      watch('that the server closes (%s) begins again where it was, and misses nothing', 'end'),
      watch('begins where a bookmark says, after a stream of nothing but bookmarks'),
      watch('whose version the server has forgotten (410) has the object read again, and begins at the present'),
      watch('that is open again after an outage has what could not be read meanwhile read'),
      lines('are the same wherever its chunks are cut, also within a character'),
      watch('that brings %s is begun again, and a change behind it is not lost', 'no JSON'),
      unlasting('since the server fails twice at its version, begins at the present, and has the object read'),
    ),
    held(
      'kube-no-loop',
      'A watch that fails or is closed at once is begun again with jitter and growing waits, never in a loop.',
      unlasting('since it is closed every second, begins again about every three seconds'),
      unlasting('since the server is away, is tried with growing waits, up to half a minute'),
      unlasting('since it is forbidden, is tried once in some minutes'),
      unlasting('since its version is always gone, is not begun in a loop, and has the object read each time'),
      unlasting('ends at its limit when the server forgets to end it'),
    ),
    held(
      'kube-together',
      'Objects of one output that were changed together are read together.',
      watch('that has just told of a change makes polls of other objects ask the server, so that they change together'),
    ),
    held(
      'kube-exact',
      'A key of an object is a field with exactly its bytes; a new version with the same keys is no new value.',
      object('of kind Secret has a field for each key of its data, decoded; bytes that are no text stay bytes'),
      object('of kind ConfigMap has the keys of data as they are, and those of binaryData decoded'),
      object('that has another version with the same keys is unchanged, by its new version: a label is no new value'),
    ),
    held(
      'kube-least',
      'The agent needs `get` and `watch` on the objects that it names, and `policy` prints that Role; without `watch` it polls.',
      watch('names the object in a field selector, asks for metadata only, and begins at the version that was read'),
      watch('that is forbidden is one warning with the line of a Role, and polls ask the server'),
      refusal('403 names the user, the verb and the object, and has the line of a Role to paste'),
      policy('name each object and nothing else, one Role for each namespace'),
    ),
    held(
      'kube-token',
      'The token is read again for each request, and once more when the server does not know it.',
      token('is read for each request, so that a rotated one is used at once'),
      refusal('401 has the token read again, and the request is sent once more when it is another one'),
      refusal('401 for the token that is there is AUTH_DENIED, after one request'),
    ),
    held(
      'kube-verified',
      'The API server is always verified: what would turn that off, or send a token openly, is refused.',
      file('with %s is refused, in words that show no credential', 'insecure-skip-tls-verify'),
      file('with %s is refused, in words that show no credential', 'plain HTTP to another machine'),
      section('is refused when %s', 'a token would go out openly'),
      section('is refused when %s', 'certificates are not checked'),
    ),
    held(
      'kube-plugin-bound',
      'A credential plugin of a kubeconfig is bounded in time and output, and runs once for all who wait for it.',
      plugin('that is not there, or does not end, is said so'),
      plugin('that %s is AUTH_NO_CREDENTIALS, without what it printed', 'prints too much'),
      plugin(
        'gets its arguments, its variables and what it asks for of the cluster, and its token is kept until it ends',
      ),
    ),
    held(
      'kube-canary',
      'No value and no credential of a cluster comes out anywhere but in the outputs.',
      canary('with a token, watches, refusals of every kind, garbage, and every debug switch on'),
      canary('with a kubeconfig and a plugin, also a plugin that fails'),
      refusal('an answer with %s is BACKEND_MALFORMED and shows nothing of it', 'no JSON'),
    ),
    held(
      'pod-certificate',
      'A pod certificate is checked and published each time that the kubelet replaces it; a set that does not fit is passed over.',
      pod('is published in every form when the kubelet swaps the bundle'),
      pod('that %s is passed over, and the last good one stays', 'has the key of another certificate'),
    ),
  ],
};
