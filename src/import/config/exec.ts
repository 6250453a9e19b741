import { constants } from 'node:os';
import { isVariableName } from '../../base/variable-name.ts';
import type { Draft } from './draft.ts';
import type { Stanza } from './stanza.ts';
import { argvOf } from './templates.ts';
import { inline, YamlMap } from './yaml.ts';

/** `exec` of the agents, of consul-template and of envconsul; and what envconsul reads into the environment. */
export function convertExec(root: Stanza, draft: Draft): void {
  const exec = root.block('exec')?.stanza;
  const { exec: section, notes } = draft;
  if (exec !== undefined) {
    const command = exec.value('command', 'texts');
    const argv = argvOf(command?.kind === 'string' ? command.value : exec.texts('command'));
    section.set('command', argv.length === 0 ? undefined : argv);
  }
  const env = convertEnvconsul(root, draft);
  for (const line of exec?.block('env')?.stanza.texts('custom') ?? []) {
    const [, name, value = ''] = /^([^=]*)=([\s\S]*)$/.exec(line) ?? [];
    if (name === undefined || !isVariableName(name, 'any'))
      notes.problem(exec?.place ?? root.place, 'custom is no NAME=VALUE', 'Write exec.env yourself.');
    else {
      env.set(name, value.replaceAll('{{', '\\{{'));
      draft.constants.add(name);
      draft.needsAnyName ||= !isVariableName(name);
    }
  }
  if (!env.isEmpty) section.set('env', env);
  if (exec === undefined) return;
  const signal = signalOf(exec, 'reload_signal', draft);
  const onChange = exec.text('restart_on_secret_changes') === 'never' ? 'none' : undefined;
  if (signal !== undefined) section.set('onChange', 'signal').set('signal', signal);
  else section.set('onChange', onChange);
  draft.childReload = signal ?? (onChange === undefined ? 'restart' : undefined);
  const stop = signalOf(exec, exec.has('restart_stop_signal') ? 'restart_stop_signal' : 'kill_signal', draft);
  // consul-template stops its child by SIGINT unless it is told otherwise; the others by SIGTERM.
  const isConsulTemplate = root.has('template') && !root.has('auto_auth');
  section.set('stopSignal', stop ?? (isConsulTemplate ? 'SIGINT' : undefined));
  const grace = exec.duration('kill_timeout');
  if (grace === 'odd') notes.problem(exec.placeOf('kill_timeout'), 'kill_timeout is no duration', 'Write grace: 30s.');
  else section.set('grace', grace);
  convertInherited(root, exec, draft);
}

function convertInherited(root: Stanza, exec: Stanza, { exec: section, notes }: Draft): void {
  const env = exec.block('env')?.stanza;
  const allowed = env?.texts('allowlist') ?? env?.texts('whitelist');
  const isPristine = root.isTrue('pristine') || env?.isTrue('pristine') === true || allowed !== undefined;
  section.set('pristine', isPristine ? true : undefined);
  if (allowed === undefined) return;
  const names = allowed.filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  section.set('inherit', names.length === 0 ? undefined : names);
  if (names.length < allowed.length) {
    notes.problem(env?.place ?? exec.place, 'allowlist has patterns', 'Name each variable in exec.inherit.');
  }
}

/** `secret` blocks: whole secrets become `from`, single keys become variables of their own. */
function convertEnvconsul(root: Stanza, draft: Draft): YamlMap {
  const { exec: section, notes, secrets } = draft;
  const env = new YamlMap();
  const isUpper = root.isTrue('upcase');
  const isSanitized = root.isTrue('sanitize');
  const from: { name: string; prefix: string; stanza: Stanza }[] = [];
  for (const { stanza } of root.blocks('secret')) {
    const path = stanza.text('path')?.replace(/\{\{\s*env\s+"(\w+)"\s*\}\}/g, '${env:$1}');
    if (path === undefined || path.includes('{{')) {
      notes.problem(stanza.place, 'a secret has no path, or a computed one', 'Name it in secrets and exec.from.');
      stanza.skip();
      continue;
    }
    const wanted = secrets.want(path, 'get');
    // Fields of KV stand right below the name; what gives leases is read as it is.
    if (!/(?:^|\/)(?:creds|static-creds|sts|token|issue)\//.test(path)) wanted.uses.add('data');
    const prefix = stanza.text('no_prefix') === 'true' ? '' : `${path.replace(/[^a-zA-Z0-9_]/g, '_')}_`;
    const format = stanza.text('format');
    const made = format === undefined || format === '' ? prefix : prefixOfFormat(format, prefix);
    if (made === undefined) {
      notes.problem(stanza.placeOf('format'), 'this format is no beginning before the key', 'Use exec.rename.');
      continue;
    }
    const keys = stanza.blocks('key');
    if (keys.length === 0) from.push({ name: wanted.name, prefix: made, stanza });
    for (const { stanza: key } of keys) {
      const name = key.text('name');
      const given = key.text('format');
      if (name === undefined || given?.includes('{{') === true) {
        notes.problem(key.place, 'a key has no name, or a computed format', 'Write exec.env yourself.');
        continue;
      }
      const plain = `${made}${given || name}`;
      const variable = (isUpper ? plain.toUpperCase() : plain).replace(/[^A-Za-z0-9_]/g, '_');
      if (wanted.uses.has('data')) wanted.uses.add(`data\0${name}`);
      env.set(variable, `{{${wanted.name}.${/^[A-Za-z_]\w*$/.test(name) ? name : `[${name}]`}}}`);
    }
  }
  const [first] = from;
  const together = from.filter(({ prefix }) => prefix === first?.prefix);
  for (const { stanza, prefix } of from) {
    if (prefix === first?.prefix) continue;
    notes.problem(
      stanza.place,
      'whole secrets with different beginnings of their variables',
      'exec.prefix is one for all: set no_prefix, or name the fields in exec.env.',
    );
  }
  if (first !== undefined) {
    section.set(
      'from',
      together.map(({ name }) => name),
    );
    section.set('prefix', first.prefix === '' ? undefined : first.prefix);
    section.set('case', isUpper ? 'upper' : undefined).set('keys', isSanitized ? 'identifier' : undefined);
  }
  return env;
}

/** `custom_{{ key }}` puts `custom_` before the key. Undefined for other formats. */
function prefixOfFormat(format: string, prefix: string): string | undefined {
  const found = /^([^{}]*)\{\{\s*key\s*\}\}$/.exec(format);
  return found === null ? undefined : `${found[1]}${prefix}`;
}

/** `SIGHUP` of a name, with or without SIG; a name that no signal has is a problem. */
function signalOf(stanza: Stanza, key: string, { notes }: Draft): string | undefined {
  const text = stanza.text(key);
  if (text === undefined || text === '') return undefined;
  const name = /^SIG/i.test(text) ? text.toUpperCase() : `SIG${text.toUpperCase()}`;
  if (name in constants.signals) return name;
  notes.problem(stanza.placeOf(key), 'no signal has this name', 'Write SIGHUP, SIGTERM or the like.');
  return undefined;
}

/** A reload that tells the child of a change of the files. */
export const childReload = (how: string): YamlMap =>
  how === 'restart' ? inline({ restart: { child: true } }) : inline({ signal: { name: how, child: true } });
