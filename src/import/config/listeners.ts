import type { Draft } from './draft.ts';
import { modeOf, type Stanza } from './stanza.ts';
import { idOf } from './templates.ts';
import { YamlMap } from './yaml.ts';

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\]):\d+$/;

/** `listener`, `api_proxy` and `cache`: the proxy, and health and metrics. */
export function convertListeners(root: Stanza, draft: Draft): void {
  const { proxy, notes } = draft;
  for (const { label, stanza } of root.blocks('listener', true)) convertListener(label, stanza, draft);
  const apiProxy = root.block('api_proxy')?.stanza;
  const cache = root.block('cache')?.stanza;
  const ofCache = cache?.text('use_auto_auth_token');
  const use = apiProxy?.text('use_auto_auth_token') ?? ofCache;
  if (proxy.isEmpty) {
    if (apiProxy !== undefined || cache?.isTrue('use_auto_auth_token') === true) {
      notes.problem((apiProxy ?? cache)?.place ?? root.place, 'a proxy has no listener', 'Write proxy.socket.');
    } else if (cache !== undefined) {
      notes.remark(cache.place, 'cache: what the agent fetches is fetched once, and needs no cache');
    }
    return;
  }
  if (use === 'force') proxy.set('useAutoAuthToken', 'force');
  else if (/^(?:1|t|true)$/i.test(use ?? '')) proxy.set('useAutoAuthToken', true);
  convertNamespace(apiProxy, draft);
  if (cache === undefined) return;
  proxy.set(
    'cache',
    cache.isTrue('cache_static_secrets') ? new YamlMap().set('staticKv', new YamlMap()) : new YamlMap(),
  );
}

/** Without `prepend_configured_namespace` the other agents send requests that name no namespace to the root. */
function convertNamespace(apiProxy: Stanza | undefined, { backend, proxy, notes }: Draft): void {
  const isPrepended = apiProxy?.isTrue('prepend_configured_namespace') === true;
  if (!backend.entries.some(({ key }) => key === 'namespace')) return;
  if (isPrepended) proxy.set('namespaceAsRoot', true);
  else {
    const seen =
      'requests of clients without X-Vault-Namespace go to the namespace of the backend, and not to the root';
    notes.remark(apiProxy?.place, `proxy: ${seen}`);
  }
}

function convertListener(label: string | undefined, stanza: Stanza, draft: Draft): void {
  const { proxy, admin, notes } = draft;
  const type = label ?? stanza.text('type') ?? 'tcp';
  const address = stanza.text('address') ?? (type === 'tcp' ? '127.0.0.1:8200' : '');
  const role = stanza.text('role');
  const isPlain = stanza.isTrue('tls_disable') || !stanza.has('tls_cert_file');
  const isRequired = stanza.isTrue('require_request_header');
  const quits = ['agent_api', 'proxy_api'].some((key) => stanza.block(key)?.stanza.isTrue('enable_quit') === true);
  if (!isPlain) return; // which is told for the key
  if (role === 'metrics_only' && quits) {
    const seen = 'quit is a path of the proxy, which passes other requests on without a token; metrics are at admin';
    notes.remark(stanza.placeOf('role'), `listener.role: ${seen}, which needs a port of its own`);
  } else if (role === 'metrics_only') {
    if (admin.isEmpty) admin.set(type === 'unix' ? 'socket' : 'listen', address);
    else notes.problem(stanza.place, 'there is a second listener for metrics', 'admin has one.');
    return;
  }
  if (type === 'unix') {
    if (proxy.entries.some(({ key }) => key === 'socket')) {
      notes.problem(stanza.place, 'there is a second socket', 'The proxy has one: let clients share it.');
      return;
    }
    const mode = stanza.value('socket_mode');
    const used = modeOf(mode);
    if (used === 'odd') notes.problem(stanza.placeOf('socket_mode'), 'socket_mode is no mode', 'Write mode: "0660".');
    const { uid } = idOf('uid', stanza.text('socket_user'), draft, stanza.placeOf('socket_user'));
    const { gid } = idOf('gid', stanza.text('socket_group'), draft, stanza.placeOf('socket_group'));
    proxy
      .set('socket', address)
      .set('mode', used === 'odd' ? undefined : used)
      .set('uid', uid)
      .set('gid', gid);
  } else if (proxy.entries.some(({ key }) => key === 'listen')) {
    notes.problem(stanza.place, 'there is a second port', 'The proxy has one port and one socket.');
    return;
  } else if (!LOOPBACK.test(address)) {
    notes.problem(
      stanza.placeOf('address'),
      'the listener is open to other machines',
      'The proxy listens on a socket and on loopback only.',
    );
    return;
  } else proxy.set('listen', address);
  if (quits && !proxy.entries.some(({ key }) => key === 'quit')) proxy.set('quit', true);
  // What there is off unless it is asked for is on here for a port.
  if (isRequired !== (type !== 'unix') && !proxy.entries.some(({ key }) => key === 'requireRequestHeader')) {
    proxy.set('requireRequestHeader', isRequired);
  }
}
