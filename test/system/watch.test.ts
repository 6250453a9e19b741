import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from './agent.helpers.ts';
import { fileBackend, writePassword } from './file-backend.helpers.ts';
import { useScene } from './openbao.helpers.ts';
import { watchOnTerminal } from './watch.helpers.ts';

const scene = useScene();

const ENTER = '\x1b[?1049h';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

async function setUp() {
  const place = await scene.place();
  await writePassword(place, 's3cr3t-on-the-terminal');
  const socket = join(place.dir, 'api.sock');
  const config = await place.config({
    backends: { ...fileBackend, gone: { kind: 'vault', address: 'http://127.0.0.1:1', auth: { method: 'none' } } },
    secrets: { app: { backend: 'demo', key: 'app', refresh: '1h' }, mail: { backend: 'gone', kv: 'secret/mail' } },
    outputs: {
      shop: { dir: join(place.dir, 'shop'), files: { f: { content: '{{app.password}}' } } },
      mailer: { dir: join(place.dir, 'mailer'), files: { f: { content: '{{mail.x}}' } } },
    },
    api: { socket },
  });
  return { config, args: ['status', '--watch', '--socket', socket] };
}

describe('status --watch on a terminal', () => {
  it('fits 60 columns and any height, follows its size, and gives the terminal back at q', async () => {
    const { config, args } = await setUp();
    await scene.run(config).waitFor('output-published');
    const watching = watchOnTerminal(args, 60, 24);
    const seen = (text: RegExp) => eventually(() => expect(watching.screen().join('\n')).toMatch(text));
    await seen(/app +✓ fresh +█+░* +- +\d[\dhms]*/);
    await seen(/something is missing/);
    await seen(/WRONG, AND WHAT TO DO\n✕ /);
    expect(watching.screen().at(-1)).toBe('q quits');
    for (const line of watching.screen()) expect([...line].length).toBeLessThanOrEqual(60);
    watching.resize(120, 40);
    await seen(/app +✓ fresh +█{20,}░* .* old\n/);
    watching.resize(60, 9);
    await eventually(() => expect(watching.screen().length).toBeLessThanOrEqual(9));
    await seen(/^pannier .*\n/);
    watching.type('q');
    expect(await watching.ended()).toEqual({ status: 0, isSame: true });
    const written = watching.written();
    expect(written.startsWith(ENTER)).toBe(true);
    expect(written.endsWith(LEAVE)).toBe(true);
    // Nothing is cleared before it is painted again, which would flicker.
    expect(written.split('\x1b[2J')).toHaveLength(2);
    expect(written).toContain('\x1b[32m');
    expect(written).not.toContain('s3cr3t');
  });

  it('goes on while the agent is away, says so, and says that it was started again', async () => {
    const { config, args } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const watching = watchOnTerminal(args, 80, 30, { NO_COLOR: '1' });
    const seen = (text: RegExp) => eventually(() => expect(watching.screen().join('\n')).toMatch(text));
    await seen(/app +✓ fresh/);
    await agent.stop();
    await seen(/✕ no answer for .*\(AGENT_UNREACHABLE\)/);
    await seen(/app +✓ fresh/);
    scene.run(config);
    await seen(/the agent was started again at \d\d:\d\d:\d\dZ/);
    expect(watching.screen().join('\n')).not.toContain('no answer for');
    expect(watching.written()).not.toContain('\x1b[3');
    expect(watching.written()).not.toContain('\x1b[0m');
    watching.type('\x03');
    expect(await watching.ended()).toEqual({ status: 0, isSame: true });
    expect(watching.written().endsWith(LEAVE)).toBe(true);
  });

  it('says within seconds that an agent hangs, counts on, and is well again with it', async () => {
    const { config, args } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const watching = watchOnTerminal(args, 80, 30);
    const seen = (text: RegExp) => eventually(() => expect(watching.screen().join('\n')).toMatch(text));
    await seen(/app +✓ fresh/);
    agent.kill('SIGSTOP');
    // One request waits for ten seconds: each of these frames is painted while it does.
    await seen(/• not known; last seen: something is missing/);
    await seen(/✕ no answer for 5s: it takes the request/);
    await seen(/✕ no answer for 6s: it takes the request/);
    agent.kill('SIGCONT');
    await seen(/✕ something is missing/);
    watching.type('q');
    expect((await watching.ended()).status).toBe(0);
  });

  it('prints when something changes where the terminal cannot move its cursor', async () => {
    const { config, args } = await setUp();
    await scene.run(config).waitFor('output-published');
    const watching = watchOnTerminal(args, 80, 24, { TERM: 'dumb' });
    await eventually(() => expect(watching.written()).toMatch(/SECRET +STATE/));
    expect(watching.written()).not.toContain('\x1b');
    watching.type('\x03');
    expect(await watching.ended()).toEqual({ status: 0, isSame: true });
  });
});
