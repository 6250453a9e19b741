import { fail } from '../base/errors.ts';
import { print } from './print.ts';

export interface NewCommandOptions {
  readonly vault?: boolean;
  readonly aws?: boolean;
  readonly file?: boolean;
  readonly kubernetes?: boolean;
  readonly approle?: boolean;
  readonly token?: boolean;
  readonly exec?: boolean;
}

/** `pannier new`: prints a configuration to begin with, which `validate` accepts. Returns the exit status. */
export async function newCommand(options: NewCommandOptions): Promise<number> {
  await print(scaffold(options));
  return 0;
}

const LOGINS = ['kubernetes', 'approle', 'token'] as const;

/** @throws PannierError CONFIG_MISSING when no backend is chosen, CONFIG_INVALID for a login of another backend. */
export function scaffold(options: NewCommandOptions): string {
  const login = LOGINS.find((one) => options[one] === true);
  if (login !== undefined && options.vault !== true) {
    throw fail('CONFIG_INVALID', `--${login}`, 'only the backend --vault has such a login', { hint: 'Add --vault.' });
  }
  const [backend, secret] = backendOf(options, login ?? 'kubernetes');
  return `${HEAD}
version: 1
backends:
${backend}
secrets:
${secret}
${options.exec === true ? EXEC : OUTPUTS}
# Lets pannier status and pannier get ask the running agent.
api:
  socket: ./pannier.sock  # CHANGE: /run/pannier/api.sock is found by itself
`;
}

function backendOf(options: NewCommandOptions, login: (typeof LOGINS)[number]): readonly [string, string] {
  if (options.vault === true) return [vault(login), '  app:\n    kv: secret/shop/app  # CHANGE: mount and path'];
  if (options.aws === true) return [AWS, '  app:\n    secretId: prod/shop  # CHANGE: name or ARN'];
  if (options.file === true) return [FILE, '  app:\n    key: app'];
  const hint = 'Add --vault, --aws or --file.';
  throw fail('CONFIG_MISSING', 'new', 'no place that secrets come from was chosen', { hint });
}

const HEAD = `# A configuration of Pannier. Change what is marked, save it as pannier.yaml, and try:
#   pannier validate    whether it is right
#   pannier render      what would be published, with masked values
#   pannier explain     what each key means`;

const AUTH = {
  kubernetes: `      method: kubernetes
      role: shop  # CHANGE: the role of this workload`,
  approle: `      method: approle
      roleIdFile: /etc/pannier/role-id  # CHANGE
      secretIdFile: /run/pannier/secret-id  # CHANGE`,
  token: `      method: token
      tokenFile: ./token  # CHANGE: a file with the token, for you alone to read`,
} as const;

const vault = (login: keyof typeof AUTH): string => `  bao:
    kind: vault
    address: https://openbao.example.com:8200  # CHANGE
    auth:
${AUTH[login]}`;

const AWS = `  aws:
    kind: aws-secrets-manager
    region: eu-west-1  # CHANGE; credentials are found as the AWS CLI finds them`;

const FILE = `  local:
    kind: file
    path: ./secrets.yaml  # for example: { app: { user: shop, password: made-up } }`;

const OUTPUTS = `outputs:
  shop:
    dir: ./run  # CHANGE: a directory on tmpfs, such as /run/secrets/shop
    files:
      app.env:
        format: dotenv
        from: app
    # What makes the application take a change up; see pannier explain outputs.reload.
    reload: []
`;

const EXEC = `# Start the application with: pannier exec -- ./shop
exec:
  env:
    APP_PASSWORD: "{{app.password}}"  # CHANGE: a variable, and the field that it gets
`;
