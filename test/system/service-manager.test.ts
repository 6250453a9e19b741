import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openNotifySocket } from '../process/notify-socket.helpers.ts';
import { eventually } from './agent.helpers.ts';
import { published, useScene } from './openbao.helpers.ts';

const scene = useScene();

describe('pannier run under a service manager', () => {
  it('sends ready after the first full publish, reloading for a configuration, stopping, and watchdog messages', async () => {
    const place = await scene.place();
    const socket = scene.keep(await openNotifySocket(place.dir));
    const heard = () => socket.messages.map(([first]) => first).filter((message) => message !== 'WATCHDOG=1');
    const dump = `env > ${place.dir}/env`;
    const config = {
      backends: { demo: { kind: 'file', path: './secrets.json' } },
      secrets: { a: { key: 'a' }, b: { key: 'b' } },
      outputs: {
        a: {
          dir: join(place.dir, 'a'),
          files: { f: { content: '{{a.x}}' } },
          reloadOnFirst: true,
          reload: [{ command: { argv: ['/bin/sh', '-c', dump] } }],
        },
        b: { dir: join(place.dir, 'b'), files: { f: { content: '{{b.x}}' } } },
      },
    };
    const put = (fields: object) => writeFileSync(join(place.dir, 'secrets.json'), JSON.stringify(fields));
    put({ a: { x: '1' } });
    const file = await place.config(config);
    const agent = scene.run(file, { env: { ...socket.env, WATCHDOG_USEC: '1000000' } });
    await agent.waitFor('reload-done');
    expect(readFileSync(join(place.dir, 'env'), 'utf8')).not.toMatch(/NOTIFY_SOCKET|WATCHDOG/);
    await pause(300);
    expect(heard()).toEqual([]);
    put({ a: { x: '1' }, b: { x: '2' } });
    await agent.waitFor('output-published', { fits: ({ output }) => output === 'b' });
    await eventually(() => expect(heard()).toEqual(['READY=1']));
    await place.config({
      ...config,
      outputs: { ...config.outputs, b: { ...config.outputs.b, files: { g: { content: 'g' } } } },
    });
    await agent.waitFor('config-applied');
    await eventually(() => expect(heard()).toEqual(['READY=1', 'RELOADING=1', 'READY=1']));
    await eventually(() => expect(published(join(place.dir, 'b'))).toEqual({ g: 'g' }));
    await eventually(() => expect(socket.messages).toContainEqual(['WATCHDOG=1']));
    expect(await agent.stop()).toBe(0);
    await eventually(() => expect(heard().at(-1)).toBe('STOPPING=1'));
    expect(agent.facts('agent-warning').filter(({ code }) => code === 'AGENT_NOTIFY')).toEqual([]);
  });
});
