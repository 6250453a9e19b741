import type { Draft } from './draft.ts';
import { modeOf, type Stanza } from './stanza.ts';
import { idOf } from './templates.ts';
import { inline } from './yaml.ts';

/** How often the agent's token is looked at: a client has a token that ended for no longer than this. */
const TOKEN_REFRESH = '30s';

/**
 * `sink`: a file with the agent's token. It is written only when that was asked for, since a token in a file gives
 * everybody who reads it all that the agent may do; clients of the proxy need none.
 */
export function convertSinks(root: Stanza, draft: Draft, isAskedFor: boolean): void {
  const { notes, secrets, plainSecrets } = draft;
  const sinks = root.block('auto_auth')?.stanza.blocks('sink', true) ?? [];
  for (const { label, stanza } of sinks) {
    const type = label ?? stanza.text('type') ?? 'file';
    const config = stanza.block('config')?.stanza;
    const path = config?.text('path');
    const mode = modeOf(config?.value('mode')) ?? '0640';
    if (mode === 'odd') {
      const place = config?.placeOf('mode') ?? stanza.place;
      notes.problem(place, 'mode of a sink is no file mode', 'The file has mode 0600: write mode yourself.');
    }
    const ids = {
      ...idOf('uid', config?.text('uid') ?? config?.text('owner'), draft, config?.place ?? stanza.place),
      ...idOf('gid', config?.text('gid') ?? config?.text('group'), draft, config?.place ?? stanza.place),
    };
    const isPlain = !['wrap_ttl', 'dh_type', 'dh_path', 'derive_key', 'aad', 'aad_env_var'].some((key) =>
      stanza.has(key),
    );
    if (!isPlain) continue; // which is told for the key
    if (!isAskedFor || type !== 'file' || path === undefined) {
      notes.problem(
        stanza.place,
        'a sink would write the token of the agent into a file',
        'Let clients use the proxy, which gives them no token; or run import with --sink.',
      );
      continue;
    }
    const name = [...plainSecrets.keys()][0] ?? secrets.names.take(['agent_token']);
    plainSecrets.set(name, {
      request: inline({ read: 'auth/token/lookup-self', refresh: TOKEN_REFRESH }),
      comment: 'WARNING: the token of the agent itself. Whoever reads it may do all that the agent may.',
    });
    draft.files.push({
      path,
      parts: [{ kind: 'put', expr: { kind: 'local', name, steps: ['id'] } }],
      inputs: new Map(),
      mode: mode === 'odd' ? '0600' : mode,
      ...ids,
      origin: `${stanza.place.file}:${stanza.place.line}`,
    });
  }
}
