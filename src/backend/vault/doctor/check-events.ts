import { fail, failure } from '../../../base/errors.ts';
import type { Examination } from '../../../base/examination.ts';
import { onAbort } from '../../../base/on-abort.ts';
import type { Topic } from '../../../feed/feed.ts';
import type { BackendContext } from '../../kind.ts';
import type { VaultClient } from '../client/client.ts';
import type { VaultBackendConfig } from '../config/config.ts';
import { openFeed } from '../events/vault-events.ts';

/** A feed of changes that begins takes a moment, and a check ends in five seconds. */
const BEGIN_MS = 4_000;

const NOBODY: Topic = { marks: ['sys/pannier-doctor'], changed: () => {}, covered: () => {} };

/** Opens the feed of changes as an agent does, and says whether it begins. */
export async function checkEvents(
  examination: Examination,
  config: VaultBackendConfig,
  { client, context }: { readonly client: VaultClient; readonly context: BackendContext },
): Promise<void> {
  const { events } = config;
  if (events === undefined) return;
  const { clock } = examination;
  const place = `backends.${config.name}.events`;
  await examination.run('events', place, async (signal) => {
    const begun = Promise.withResolvers<string | ReturnType<typeof failure>>();
    const whole = events.kind === 'file' ? events.auditFile : events.urls.join(', ');
    let why = failure('FEED_DOWN', place, `${whole} does not begin to tell of changes within ${BEGIN_MS / 1000} s`);
    await using feed = await openFeed(
      { ...context, config: { ...config, events }, client },
      {
        event: () => {},
        live: (failed) => {
          if (failed === undefined) begun.resolve(`${whole} tells of changes`);
          else why = failed;
        },
      },
    );
    feed.add(NOBODY);
    const cancel = clock.after(BEGIN_MS, () => begun.resolve(why));
    const unlisten = onAbort(signal, () => begun.reject(fail('CANCELLED', place, 'the check was cancelled')));
    try {
      return await begun.promise;
    } finally {
      cancel();
      unlisten();
    }
  });
}
