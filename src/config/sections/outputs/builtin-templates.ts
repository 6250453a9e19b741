import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a configuration must give to a template that Pannier ships in templates/. */
export interface BuiltinTemplate {
  /** The name by which the template uses its one secret. */
  readonly input: string;
  /** The fields that it needs. Absent: it writes all fields, whatever their names. */
  readonly fields?: readonly string[];
  /** The fields that it uses when they are there. */
  readonly optional?: readonly string[];
}

/** By the NAME of `builtin:NAME`. `test/templates/page.test.ts` compares them with templates/ and docs/templates.md. */
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

/** All texts by name; the bundler defines it. */
declare const PANNIER_TEMPLATES: Readonly<Record<string, string>> | undefined;

/** The text of a template of `BUILTIN_TEMPLATES`. */
export function builtinText(name: string): string {
  if (typeof PANNIER_TEMPLATES === 'object') return PANNIER_TEMPLATES[name] as string;
  return readFileSync(join(import.meta.dirname, '../../../../templates', `${name}.hbs`), 'utf8');
}
