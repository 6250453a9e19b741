import { held, inFile, type Section } from './promise.ts';

const sotw = inFile('test/deliver/sds/sotw.test.ts', 'a State-of-the-World stream');
const delta = inFile('test/deliver/sds/delta.test.ts', 'a Delta stream');
const onDemand = inFile('test/deliver/sds/delta.test.ts', 'a name on demand');
const alone = inFile('test/config/sds-on-demand.test.ts', 'certificates on demand alone');
const socket = inFile('test/deliver/sds/listener.test.ts', 'the socket of sds');
const rest = inFile('test/deliver/sds/listener.test.ts', 'POST /v3/discovery:secrets');
const certificate = inFile('test/deliver/sds/body-of.test.ts', 'a certificate for Envoy');
const envoy = inFile('test/system/sds.test.ts', 'Envoy with its secrets from the agent');
const rotation = inFile('test/system/sds-rotation.test.ts', 'Envoy serves TLS with a certificate of OpenBao');
const injector = inFile('test/system/sds-injector.test.ts', 'an application behind examples/envoy');

export const sds: Section = {
  name: 'Secrets for Envoy',
  promises: [
    held(
      'sds-rotation',
      'Under constant new connections no rotation of a certificate fails a handshake, over SDS and from files.',
      rotation('over %s, and under constant new connections no rotation fails a handshake'),
      rotation('from the files of an output that Envoy watches, without a failed handshake'),
    ),
    held(
      'sds-pair',
      'A certificate is served only with the key that belongs to it.',
      certificate('is not made of a secret %s, and the status says why', 'with the key of another'),
      envoy('keeps a certificate of a KV secret that is deleted or spoilt at the backend'),
    ),
    held(
      'sds-kept',
      'What was served goes on being served when its secret is deleted at the backend or spoilt.',
      sotw('keeps what was good when the secret is gone or loses what is needed'),
      envoy('keeps a certificate of a KV secret that is deleted or spoilt at the backend'),
    ),
    held(
      'sds-versions',
      'A client that comes back with the current version is sent nothing.',
      delta('sends to a client that comes back what is new, and nothing for what it has'),
      sotw('sends to a client that comes back only what it has not'),
    ),
    held(
      'sds-versions-tell-nothing',
      'A version that Envoy shows is made of what is public, or with a key of the process.',
      certificate('has the version of its public part, so that it outlives a restart of the agent'),
      certificate('of a value has a version that only this process can make'),
    ),
    held(
      'sds-missing',
      'A name that there is not fails neither the stream nor others; over Delta it is answered at once as removed.',
      delta('answers with the secrets that were asked for, and at once says which there are not'),
      sotw('answers the first request with the secrets that there are, and leaves out those that there are not'),
    ),
    held(
      'sds-refused',
      'A refusal of Envoy is in log, status and metrics with its words, and without values; what was refused is not sent again.',
      sotw('tells of a refusal, does not send what was refused again, and sends the next value'),
      delta('tells of a refusal, and sends the next value but not the refused one'),
      envoy('refuses what it cannot use, and its words are in the log and in the status'),
    ),
    held(
      'sds-new-configuration',
      'Names that a new configuration adds or drops reach the streams that are open.',
      delta('is told of names that a new configuration adds and drops'),
      envoy('is told of names that a new configuration adds, on the streams that are open'),
    ),
    held(
      'sds-on-demand',
      'A certificate on demand is issued once however many ask, and only for names that fit the pattern.',
      onDemand('is asked for once, however many streams follow it, and given to all of them'),
      onDemand('is not asked for when the pattern does not fit: %s', 'a.b.shop.svc'),
      envoy('gets certificates by the name in the hello of a client, each issued once, and no others'),
      alone('are resolved when no secret is a certificate'),
    ),
    held(
      'sds-on-demand-bounded',
      'Names on demand are bounded, and a refused name is not asked for in a loop.',
      onDemand('gives way to a newer one at the limit when nobody follows it, and is refused when all are followed'),
      onDemand('is refused at once for a while after a refusal of the backend, and asked for again later'),
    ),
    held(
      'sds-bounded',
      'A client that opens too many streams, never acknowledges, sends garbage or ends no request takes nothing from others.',
      socket('answers others while a client opens 1,000 streams, and warns once'),
      socket('sends a client that never acknowledges one answer and no more'),
      socket('ends the stream of a client that sends garbage, and answers others'),
      rest('a client that does not end %s is answered 408'),
    ),
    held(
      'sds-socket',
      'A socket file of `sds` that somebody removes is made again, and the socket of another live process is left alone.',
      socket('is made again when somebody removed it, and open streams go on'),
      socket('leaves the socket of another live process alone, says so once, and is back when that has ended'),
    ),
    held(
      'sds-never-held',
      "With Envoy's credential injector no request is refused while its credential rotates, and none gets through without it.",
      injector('sends no credential, and none of its requests is refused while the credential rotates each second'),
      injector('gets through with no request while there is no credential'),
    ),
    held(
      'sds-log',
      'No value that is served to Envoy is logged, whatever the libraries are told to trace.',
      envoy('writes no value to the log, whatever the libraries are told to trace'),
    ),
  ],
};
