import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { endsWithUs } from '../../base/ending-with-us.ts';
import { fail } from '../../base/errors.ts';
import type { FiledItem } from '../config/stanza.ts';
import { agentConfig, type OtherKind, ofVault } from './agent-config.ts';

export interface OtherRenders {
  /** The program that rendered. */
  readonly program: string;
  /** What it rendered, by destination or `exec.env.NAME`; undefined for what it did not. */
  readonly files: ReadonlyMap<string, Uint8Array | undefined>;
}

export interface OtherOptions {
  /** The program; absent: it is looked for on the PATH. */
  readonly program?: string;
  /** The variables of the program. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** Ends the program when it aborts. */
  readonly signal: AbortSignal;
}

const PROGRAMS = ['bao', 'vault', 'consul-template'];

/**
 * Renders the templates of a configuration by the program that it was written for, once, into a private directory in
 * memory where there is one, which is removed afterwards.
 * @throws PannierError when there is no such program, or it cannot be started.
 */
export async function renderByOther(items: readonly FiledItem[], options: OtherOptions): Promise<OtherRenders> {
  const hasLogin = items.some(({ key }) => key === 'auto_auth');
  const program = options.program ?? (await findProgram(options.env, hasLogin));
  const kind: OtherKind = basename(program).startsWith('consul-template') ? 'consul-template' : 'agent';
  const dir = await mkdtemp(join(await privateFolder(), 'pannier-compare-'));
  try {
    const needsLogin = kind === 'agent' && !hasLogin;
    const tokenFile = needsLogin ? await tokenFileOf(items, dir, options.env) : undefined;
    const { hcl, files } = agentConfig(items, dir, kind, tokenFile);
    const path = join(dir, 'agent.hcl');
    await writeFile(path, hcl, { mode: 0o600 });
    for (const { template } of files) {
      if (template !== undefined) await writeFile(template.path, template.text, { mode: 0o600 });
    }
    const args = kind === 'agent' ? ['agent', `-config=${path}`] : [`-config=${path}`, '-once'];
    if (files.length > 0) await run(program, args, { ...options, env: withoutAddress(items, options.env) });
    const read = files.map(
      async ({ name, path: file }) => [name, await readFile(file).catch(() => undefined)] as const,
    );
    return { program, files: new Map(await Promise.all(read)) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The file with the token of consul-template, for an agent. @throws PannierError when there is no token. */
async function tokenFileOf(items: readonly FiledItem[], dir: string, env: OtherOptions['env']): Promise<string> {
  const named = ofVault(items, 'vault_agent_token_file');
  if (named !== undefined) return named;
  const token = ofVault(items, 'token') ?? env['VAULT_TOKEN'] ?? env['BAO_TOKEN'];
  if (token === undefined) {
    const seen = 'the configuration has no auto_auth, and there is no token for the other program';
    throw fail('CONFIG_MISSING', 'import --compare', seen, {
      hint: 'Set VAULT_TOKEN, or put consul-template on the PATH.',
    });
  }
  const path = join(dir, 'token');
  await writeFile(path, token, { mode: 0o600 });
  return path;
}

/** The variable would win over the address that the configuration names, and both sides ask one server. */
function withoutAddress(items: readonly FiledItem[], env: OtherOptions['env']): OtherOptions['env'] {
  const vault = items.filter(({ key }) => key === 'vault').map(({ value }) => value);
  const isNamed = vault.some((one) => one.kind === 'object' && one.items.some(({ key }) => key === 'address'));
  const { VAULT_ADDR: _1, BAO_ADDR: _2, ...others } = env;
  return isNamed ? others : env;
}

/** A folder in memory where there is one: what is compared may hold a token. */
export async function privateFolder(): Promise<string> {
  return access('/dev/shm', constants.W_OK).then(
    () => '/dev/shm',
    () => tmpdir(),
  );
}

async function findProgram({ PATH = '' }: OtherOptions['env'], hasLogin: boolean): Promise<string> {
  for (const name of hasLogin ? PROGRAMS : [...PROGRAMS].reverse()) {
    for (const folder of PATH.split(delimiter)) {
      const path = join(folder, name);
      if (
        folder !== '' &&
        (await access(path, constants.X_OK).then(
          () => true,
          () => false,
        ))
      )
        return path;
    }
  }
  throw fail('CONFIG_MISSING', 'import --compare', `there is no ${PROGRAMS.join(', ')} on the PATH`, {
    hint: 'Name the program: --with /usr/local/bin/vault.',
  });
}

/** Its own messages are not shown, since they may hold values. It may fail: then files are missing. */
function run(program: string, args: readonly string[], { env, timeoutMs, signal }: OtherOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'ignore' });
    const end = () => child.kill('SIGKILL');
    endsWithUs(child, end);
    const timer = setTimeout(end, timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    child.once('error', () => {
      clearTimeout(timer);
      reject(fail('CONFIG_INVALID', `--with ${program}`, 'the program cannot be started'));
    });
    child.once('exit', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    });
  });
}
