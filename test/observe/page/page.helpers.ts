import type { ListenConfig } from '../../../src/config/config.ts';
import type { Status } from '../../../src/deliver/api/status.ts';
import { HttpListener } from '../../../src/deliver/http/listener.ts';
import { createService } from '../../../src/deliver/http/routes.ts';
import { createPage } from '../../../src/observe/page/page-routes.ts';
import { type Shown, withoutPaths } from '../../../src/observe/page/shown.ts';
import { FakeClock } from '../../fake-clock.ts';
import { findFreePort } from '../../servers/free-port.ts';

export const NOW = '2026-01-01T12:00:00.000Z';

export const failure = { code: 'BACKEND_UNREACHABLE', place: 'backends.bao', seen: 'refused', hint: 'Look.' } as const;

/** A status with one of everything, in which names are hostile and paths are private. */
export function statusWith(more: Partial<Status> = {}): Status {
  return {
    version: '1.2.3',
    bootId: 'boot',
    startedAt: '2026-01-01T00:00:00.000Z',
    now: NOW,
    configuration: { files: ['/etc/pr1vate.yaml'], readAt: NOW, refused: [] },
    backends: [{ name: 'bao', kind: 'vault', login: { method: 'token', state: 'live' } }],
    secrets: [
      {
        name: 'good',
        backend: 'bao',
        kind: 'vault-kv',
        optional: false,
        state: 'fresh',
        etag: 'pr1vate',
        version: '3',
      },
      {
        name: '<b onclick=x>"\'&\u202e',
        backend: 'bao',
        kind: 'vault-kv',
        optional: false,
        state: 'stale',
        failure: { ...failure, seen: '</script><script>alert(1)</script>' },
      },
      {
        name: 'bao secret/pr1vate',
        backend: 'bao',
        kind: 'vault-kv',
        optional: true,
        state: 'fresh',
        computed: { place: 'outputs.shop', outputs: ['shop'] },
      },
    ],
    outputs: [
      {
        name: 'shop',
        dir: '/pr1vate',
        state: 'waiting',
        secrets: ['bao secret/pr1vate'],
        missing: ['bao secret/pr1vate'],
      },
      {
        name: 'web',
        dir: '/pr1vate',
        state: 'settled',
        secrets: ['good'],
        generation: 7,
        held: { generation: 8, failure: { ...failure, code: 'OUTPUT_HELD' } },
      },
    ],
    ...more,
  };
}

export const shownOf = (status: Status, more: Partial<Shown> = {}): Shown => ({
  status: withoutPaths(status),
  health: { problems: [], warnings: [] },
  events: [],
  renewalsOf: () => [],
  hourOf: () => [],
  ...more,
});

/** The routes of a page on a real port of this machine, under a clock that the test moves. */
export async function servePage() {
  const clock = new FakeClock(Date.parse(NOW));
  const port = await findFreePort();
  const where: ListenConfig = { kind: 'tcp', host: '127.0.0.1', port };
  let rendered = 0;
  const state = { status: statusWith() };
  const more: { hourOf: Shown['hourOf'] } = { hourOf: () => [] };
  const shown = () => {
    rendered += 1;
    return shownOf(state.status, more);
  };
  const page = createPage({ clock, where: { ...where, host: 'admin.shop.internal' }, shown });
  const service = createService(page.routes);
  const dispose = async () => page[Symbol.dispose]();
  const listener = await HttpListener.open({ where, place: 'admin' }, { ...service, [Symbol.asyncDispose]: dispose });
  const origin = `http://127.0.0.1:${port}`;
  return { clock, page, port, origin, state, more, listener, rendered: () => rendered };
}
