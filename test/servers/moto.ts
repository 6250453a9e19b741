/** A stand-in for AWS: Secrets Manager, Parameter Store, STS and IAM of moto, over real HTTP. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePythonPackages } from './cache.ts';
import { findFreePort } from './free-port.ts';
import { ServerProcess, untilStopped } from './server-process.ts';

/** The moto version that every test runs against. */
export const motoVersion = '5.2.5';

/** The packages of moto[server] that these services import: a third of its size. */
const PACKAGES = [
  `moto==${motoVersion}`,
  'blinker==1.9.0',
  'boto3==1.44.5',
  'botocore==1.44.5',
  'certifi==2026.10.18',
  'cffi==2.1.1',
  'charset-normalizer==3.5.2',
  'click==8.5.1',
  'cryptography==50.0.2',
  'flask==3.1.3',
  'flask-cors==6.0.2',
  'idna==3.20',
  'itsdangerous==2.2.0',
  'jinja2==3.1.6',
  'jmespath==1.1.0',
  'markupsafe==3.0.4',
  'pycparser==3.12',
  'python-dateutil==2.9.0.post0',
  'PyYAML==6.0.3',
  'requests==2.34.2',
  'responses==0.26.3',
  's3transfer==0.19.3',
  'six==1.17.0',
  'urllib3==2.8.0',
  'werkzeug==3.1.9',
  'xmltodict==1.0.4',
];

/** The services of AWS by the first part of their `X-Amz-Target`. */
const TARGETS = { secretsmanager: 'secretsmanager', ssm: 'AmazonSSM' } as const;

export interface AwsUser {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * Resolves to a moto on 127.0.0.1, in about a second; its data is lost when it ends. Credentials are not checked
 * before `checkPolicies`. It ends with `stop()`, and with the test process at the latest.
 */
export async function startMoto(): Promise<Moto> {
  const packages = await ensureMoto();
  for (let attempt = 1; ; attempt++) {
    const moto = new Moto(packages, await mkdtemp(join(tmpdir(), 'pannier-moto-')), await findFreePort());
    try {
      await moto.start();
      return moto;
    } catch (error) {
      await moto.stop();
      if (!(error as Error).message.includes('Address already in use') || attempt === 3) throw error;
    }
  }
}

/** The folder with moto and with botocore, for PYTHONPATH. */
export function ensureMoto(): Promise<string> {
  return ensurePythonPackages({ name: 'moto', version: motoVersion, all: PACKAGES });
}

/** See `startMoto`. */
export class Moto implements AsyncDisposable {
  /** `http://127.0.0.1:PORT`, the same after every `start()`. */
  readonly address: string;
  readonly region = 'eu-west-1';
  readonly port: number;
  readonly #packages: string;
  readonly #dir: string;
  #process: ServerProcess | undefined;

  /** For `startMoto`. */
  constructor(packages: string, dir: string, port: number) {
    this.#packages = packages;
    this.#dir = dir;
    this.port = port;
    this.address = `http://127.0.0.1:${port}`;
  }

  /** Starts a killed server again on its port; it comes back empty. */
  async start(): Promise<void> {
    if (this.#process?.isRunning) throw new Error('moto is running already');
    const { PATH = '' } = process.env;
    this.#process = new ServerProcess({
      name: 'moto',
      command: 'python3',
      args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(this.port)],
      env: { PATH, HOME: this.#dir, PYTHONPATH: this.#packages, MOTO_IAM_LOAD_MANAGED_POLICIES: 'false' },
      logFile: join(this.#dir, 'moto.log'),
      dir: this.#dir,
      endSignal: 'SIGKILL',
    });
    await this.#process.waitUntil(() =>
      fetch(`${this.address}/moto-api/data.json`, { signal: AbortSignal.timeout(2_000) }).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
  }

  /** The server accepts connections but answers nothing until `resume()`. */
  async suspend(): Promise<void> {
    this.#process?.signal('SIGSTOP');
    if (this.#process !== undefined) await untilStopped(this.#process.pid);
  }

  resume(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Ends the server as a crash would. */
  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Calls `CreateSecret` and the like; with a body such as `{"SecretId": …}`. Rejects with moto's error. */
  async api<Answer = Record<string, unknown>>(
    service: keyof typeof TARGETS,
    action: string,
    body: object,
    region = this.region,
  ): Promise<Answer> {
    const answer = await this.#send(service, region, JSON.stringify(body), {
      'X-Amz-Target': `${TARGETS[service]}.${action}`,
      'Content-Type': 'application/x-amz-json-1.1',
    });
    return JSON.parse(answer) as Answer;
  }

  /** Makes a secret or gives it a next version: text, or bytes. Resolves to its ARN and version. */
  async putSecret(name: string, value: string | Uint8Array, region = this.region): Promise<PutSecret> {
    const what =
      typeof value === 'string' ? { SecretString: value } : { SecretBinary: Buffer.from(value).toString('base64') };
    try {
      return await this.api<PutSecret>('secretsmanager', 'PutSecretValue', { SecretId: name, ...what }, region);
    } catch {
      return await this.api<PutSecret>('secretsmanager', 'CreateSecret', { Name: name, ...what }, region);
    }
  }

  /** Makes many secrets, one after the other: moto loses some when they are made at the same time. */
  async createSecrets(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [Name, SecretString] of Object.entries(values)) {
      await this.api('secretsmanager', 'CreateSecret', { Name, SecretString });
    }
  }

  async putParameter(name: string, value: string, type = 'String', region = this.region): Promise<void> {
    await this.api('ssm', 'PutParameter', { Name: name, Value: value, Type: type, Overwrite: true }, region);
  }

  /** Makes a user with one policy, for use after `checkPolicies`. */
  async user(name: string, policy: object): Promise<AwsUser> {
    await this.#iam({ Action: 'CreateUser', UserName: name });
    const document = JSON.stringify(policy);
    await this.#iam({ Action: 'PutUserPolicy', UserName: name, PolicyName: 'all', PolicyDocument: document });
    const made = await this.#iam({ Action: 'CreateAccessKey', UserName: name });
    const of = (tag: string) => new RegExp(`<${tag}>(.*?)</${tag}>`).exec(made)?.[1] ?? '';
    return { accessKeyId: of('AccessKeyId'), secretAccessKey: of('SecretAccessKey') };
  }

  /** Whether signatures and policies are checked from now on. */
  async checkPolicies(on = true): Promise<void> {
    const body = on ? '0' : 'inf';
    const answer = await fetch(`${this.address}/moto-api/reset-auth`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`moto: reset-auth answered ${answer.status}`);
  }

  async #iam(parameters: Readonly<Record<string, string>>): Promise<string> {
    const body = new URLSearchParams({ Version: '2010-05-08', ...parameters }).toString();
    return this.#send('iam', 'us-east-1', body, { 'Content-Type': 'application/x-www-form-urlencoded' });
  }

  async #send(service: string, region: string, body: string, headers: Record<string, string>): Promise<string> {
    const scope = `test/20260101/${region}/${service}/aws4_request`;
    const Authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`;
    const answer = await fetch(this.address, { method: 'POST', body, headers: { ...headers, Authorization } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`moto: HTTP ${answer.status} ${text.slice(0, 500)}`);
    return text;
  }
}

export interface PutSecret {
  readonly ARN: string;
  readonly Name: string;
  readonly VersionId: string;
}
