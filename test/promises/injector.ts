import { held, inFile, type Section } from './promise.ts';

const pods = inFile('test/injector/pods.test.ts', 'a pod that is created');
const work = inFile('test/injector/bounds.test.ts', 'a review of a pod that asks for too much work');
const review = inFile('test/injector/review.test.ts', 'an AdmissionReview');
const server = inFile('test/injector/server.test.ts', 'the server of the injector');
const commands = inFile('test/injector/commands.test.ts', 'a command of vault-k8s');
const made = inFile('test/injector/certificate.test.ts', 'a certificate that the injector makes');
const files = inFile('test/injector/certificate.test.ts', 'a certificate in files');
const bundle = inFile('test/injector/certificate.test.ts', 'the bundle of authorities');
const policies = inFile('test/examples/admission-policy.test.ts', 'the admission policies');
const metrics = inFile('test/injector/metrics.test.ts', 'the metrics of the injector');
const chart = inFile('test/examples/chart.test.ts', 'the chart of the injector');
const command = inFile('test/system/injector.test.ts', 'pannier injector');

export const injector: Section = {
  name: 'The injector for Kubernetes',
  promises: [
    held(
      'injector-adds',
      'The patch of the injector only adds: every field of a pod, also one of a later Kubernetes, stays as it came.',
      pods('$name: the patch only adds, and never where something is'),
    ),
    held(
      'injector-once',
      'A pod that was injected is left as it is, however often it is reviewed; an annotation that was copied without the containers does not count.',
      pods('$name: a second review changes nothing'),
      pods('$name: becomes what is expected'),
    ),
    held(
      'injector-names-wrong',
      'A wrong, unknown or impossible annotation denies the pod and is named, all of them on one line; none is ignored.',
      pods('$name: becomes what is expected'),
      command('says on one line what a pod lacks, and ends cleanly when it is told to stop'),
    ),
    held(
      'injector-fits',
      'A limit in an annotation never makes the agent invalid: the default request gives way to it, and a larger request raises the default limit.',
      pods('$name: becomes what is expected'),
    ),
    held(
      'injector-schema',
      'An injected pod is valid for Kubernetes 1.34 to 1.37, and its agent may do nothing that the Pod Security Standard "restricted" forbids.',
      pods('matches the schemas of Kubernetes 1.34 to 1.37 when it was injected'),
      pods('$name: the agent may do nothing that the standard "restricted" forbids'),
    ),
    held(
      'injector-vault-bytes',
      'A pod of vault-k8s gets the bytes and modes that the agent of OpenBao renders for it.',
      command('gives a Deployment of vault-k8s with fifteen annotations the bytes that bao agent renders'),
    ),
    held(
      'injector-commands',
      'A command of vault-k8s that only sends a signal becomes a signal of the agent; any other one, which the image of the agent cannot run, denies the pod and is named.',
      commands('that sends a signal becomes a signal of the agent, which sees the processes of the pod'),
      commands('that needs a program denies the pod, and says what to do: %s', 'nginx -s reload'),
    ),
    held(
      'injector-reads-nothing',
      'The injector reads no file and no variable that the configuration of a pod names, and its denials show no value of an annotation.',
      review('reads no file and no variable that a configuration names'),
      review('with a value that may be a secret does not show it in its denial'),
    ),
    held(
      'injector-bounded',
      'A review of more than 3 MiB, of another version or of another kind is not taken, and the injector goes on.',
      server('refuses a body of more than three MiB that is sent %s, and goes on'),
      review('%s is not taken', 'of v1beta1'),
    ),
    held(
      'injector-little-work',
      'The injector denies a pod that asks for too much work before it does the work: too many values in annotations, too many containers, too much to add.',
      work('with more than two thousand values in %s is denied before they are checked', 'a file'),
      work('with %s is parsed once', 'errors in a configuration'),
      pods('$name: becomes what is expected'),
    ),
    held(
      'injector-certificate',
      'A certificate of the injector is trusted by the API server before it is shown, and replaced without a restart; a pair of files that does not fit leaves the one before in use.',
      made('is replaced at two thirds of its life, and its authority is trusted before it is shown'),
      made('is put into the bundle again when somebody has written the webhook without it'),
      bundle('keeps those of other replicas, and leaves out what has ended and what an earlier process had'),
      files('is read again when it changes; a pair that does not fit leaves the one before, and is told once'),
    ),
    held(
      'injector-policy',
      'The admission policy adds to a pod what the injector adds, since it is made of the same code; a second one denies each pod that asks for an agent and has none.',
      policies('are what npm run docs makes of the code of the injector'),
      policies('look at new pods alone, fail closed, and pass over the namespaces that the injector passes over'),
      policies('deny in every namespace but those whose label says that pods may start without secrets'),
    ),
    held(
      'injector-metrics',
      'The metrics of the injector count each review by what became of it, and no label is taken from a pod.',
      metrics('count reviews by what became of them, and begin at 0'),
      server('answers a review, and tells the pod'),
    ),
    held(
      'injector-chart',
      'The chart of the injector asks no cluster, no clock and no chance: two renders are the same, with or without a cluster.',
      chart('no template asks a cluster, the clock or chance, so that two renders are the same without a cluster'),
    ),
  ],
};
