import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A template shipped in templates/: what a configuration must give it. */
export interface BuiltinTemplate {
  /** What it calls the secret that it is made of. */
  readonly input: string;
  /** Fields it cannot do without. Absent: it takes all fields, whatever their names. */
  readonly fields?: readonly string[];
  /** Fields that may be missing. */
  readonly optional?: readonly string[];
}

/** By the NAME of `builtin:NAME`. `test/templates/page.test.ts` ties them to templates/ and to docs/templates.md. */
export const BUILTIN_TEMPLATES: ReadonlyMap<string, BuiltinTemplate> = new Map(
  Object.entries<BuiltinTemplate>({
    dotenv: { input: 'app' },
    json: { input: 'app' },
    properties: { input: 'app' },
    'systemd-env': { input: 'app' },
    spring: { input: 'db', fields: ['username', 'password'], optional: ['url'] },
    appsettings: { input: 'db', fields: ['host', 'database', 'username', 'password'], optional: ['port'] },
    pgpass: { input: 'db', fields: ['username', 'password'], optional: ['host', 'port', 'database'] },
    'my-cnf': { input: 'db', fields: ['username', 'password'], optional: ['host', 'port', 'database'] },
    redis: { input: 'redis', fields: ['password'] },
    'nginx-tls': { input: 'tls', fields: ['certificate', 'privateKey'], optional: ['caChain', 'issuingCa'] },
    'ssh-key': { input: 'ssh', fields: ['privateKey'] },
    'aws-credentials': {
      input: 'aws',
      fields: ['access_key', 'secret_key'],
      optional: ['session_token', 'security_token', 'profile'],
    },
    'docker-config': { input: 'docker', fields: ['username', 'password'], optional: ['registry'] },
    kubeconfig: {
      input: 'kube',
      fields: ['server'],
      optional: ['token', 'certificate', 'privateKey', 'ca', 'namespace'],
    },
    htpasswd: { input: 'users' },
  }),
);

/** Put in by the bundler: all texts by name. */
declare const PANNIER_TEMPLATES: Readonly<Record<string, string>> | undefined;

/** The text of a template of `BUILTIN_TEMPLATES`. */
export function builtinText(name: string): string {
  if (typeof PANNIER_TEMPLATES === 'object') return PANNIER_TEMPLATES[name] as string;
  return readFileSync(join(import.meta.dirname, '../../../../templates', `${name}.hbs`), 'utf8');
}
