import { systemClock } from '../base/clock.ts';
import { fail, failure, ProblemsError } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { version } from '../base/version.ts';
import { parseAddress } from '../config/address.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { parseHostPort } from '../config/host-port.ts';
import type { CertificateSource } from '../http/serving/pair.ts';
import { certificateOfFiles } from '../http/serving/pair-of-files.ts';
import { MAX_NAME, OBJECT_NAME } from '../injector/annotations/reader.ts';
import { ACCOUNT_DIR, callApiServer } from '../injector/certificate/api-server.ts';
import { selfMadeCertificate } from '../injector/certificate/self-made.ts';
import { runInjector } from '../injector/run-injector.ts';
import type { InjectorDefaults } from '../injector/settings.ts';
import { openLog } from './open-log.ts';
import { spareMemory } from './sparing.ts';
import { listenForStop } from './stop-signals.ts';

export interface InjectorCommandOptions {
  readonly listen: string;
  /** Where metrics are served. Absent: there are none. */
  readonly metrics?: string;
  /** Absent with `tlsKeyFile`: the injector makes its own certificate. */
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  /** The MutatingWebhookConfiguration that trusts a certificate of our own. */
  readonly webhook?: string;
  /** `NAME.NAMESPACE.svc` of the Service. */
  readonly service?: string;
  /** Has the `token` and `ca.crt` for the API server; absent: where the kubelet mounts them. */
  readonly accountDir?: string;
  readonly image?: string;
  readonly address?: string;
  readonly authMount?: string;
  readonly audience?: string;
  readonly caConfigMap?: string;
}

/** `pannier injector`: serves the mutating webhook until it is told to stop. Returns the exit status. */
export async function injectorCommand(options: InjectorCommandOptions): Promise<number> {
  const where = addressOf('--listen', options.listen, '0.0.0.0:8443');
  const metrics =
    options.metrics === undefined ? {} : { metrics: addressOf('--metrics', options.metrics, '0.0.0.0:9464') };
  const defaults = defaultsOf(options);
  const log = await openLog(
    { level: 'info', format: 'auto', schema: 'pannier' },
    { clock: systemClock, random: Math.random },
  );
  const certificate = certificateFor(options, readEnvironment(), log.emit);
  using stop = listenForStop();
  await runInjector({
    ...where,
    ...metrics,
    defaults,
    certificate,
    emit: log.emit,
    signal: stop.signal,
    onListening: spareMemory,
  });
  return 0;
}

/** @throws PannierError CONFIG_INVALID */
function addressOf(option: string, text: string, example: string) {
  const where = parseHostPort(text);
  if (where === undefined) throw fail('CONFIG_INVALID', option, 'it is not HOST:PORT', { hint: `Such as ${example}.` });
  return where;
}

/**
 * What holds for all pods, as it is said: a mistake here would deny each of them.
 * @throws ProblemsError
 */
function defaultsOf({ image, address, authMount, audience, caConfigMap }: InjectorCommandOptions): InjectorDefaults {
  const wrong = address === undefined ? undefined : parseAddress(address).wrong;
  const problems = [
    ...(wrong === undefined ? [] : [failure('CONFIG_INVALID', '--address', wrong)]),
    ...(image === undefined || /^\S+$/.test(image)
      ? []
      : [failure('CONFIG_INVALID', '--image', 'it is not the name of an image', { hint: 'Write it without spaces.' })]),
    ...(caConfigMap === undefined || (caConfigMap.length <= MAX_NAME && OBJECT_NAME.test(caConfigMap))
      ? []
      : [failure('CONFIG_INVALID', '--ca-config-map', 'it is not the name of a ConfigMap')]),
  ];
  if (problems.length > 0) throw new ProblemsError(problems);
  return {
    image: image ?? `pannier:${version}`,
    ...(address === undefined ? {} : { address }),
    ...(authMount === undefined ? {} : { authMount }),
    ...(audience === undefined ? {} : { audience }),
    ...(caConfigMap === undefined ? {} : { caConfigMap }),
  };
}

/** @throws ProblemsError when neither two files nor a webhook and a service are named. */
function certificateFor(options: InjectorCommandOptions, env: Environment, emit: Emit): CertificateSource {
  const { tlsCertFile: certFile, tlsKeyFile: keyFile, webhook, service, accountDir = ACCOUNT_DIR } = options;
  const clock = systemClock;
  if (certFile !== undefined && keyFile !== undefined) return certificateOfFiles({ certFile, keyFile, clock, emit });
  const [needed, hint] =
    certFile === undefined && keyFile === undefined
      ? [{ '--webhook': webhook, '--service': service }, 'Name both, or --tls-cert-file and --tls-key-file.']
      : [{ '--tls-cert-file': certFile, '--tls-key-file': keyFile }, 'Name both files.'];
  const missing = Object.entries(needed).flatMap(([name, value]) =>
    value === undefined ? [failure('CONFIG_MISSING', name, 'it is not named', { hint })] : [],
  );
  const {
    KUBERNETES_SERVICE_HOST: host = '',
    KUBERNETES_SERVICE_PORT: port = '443',
    HOSTNAME: replica = 'pannier',
  } = env;
  if (missing.length === 0 && host === '') {
    const seen = 'it is not set: a certificate of its own needs the API server';
    missing.push(
      failure('CONFIG_MISSING', 'KUBERNETES_SERVICE_HOST', seen, { hint: 'Run it in a pod, or name files.' }),
    );
  }
  if (missing.length > 0 || webhook === undefined || service === undefined) throw new ProblemsError(missing);
  const call = callApiServer({ host, port: Number(port), accountDir });
  return selfMadeCertificate({ webhook, service, replica, call, clock, emit });
}
