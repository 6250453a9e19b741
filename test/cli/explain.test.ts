import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { PannierError } from '../../src/base/errors.ts';
import { explain } from '../../src/cli/explain.ts';
import { loadWords } from '../../src/config/words/all-words.ts';

const words = await loadWords(BACKEND_KINDS);

describe('pannier explain', () => {
  it('without a key lists the sections that are supported', async () => {
    const text = await explain();
    for (const section of ['version', 'backends', 'secrets', 'outputs', 'exec', 'api', 'proxy', 'admin', 'sds', 'log'])
      expect(text).toMatch(new RegExp(`^  ${section} +\\w`, 'm'));
    expect(text).not.toContain('transit');
  });

  it('tells type, default, purpose and an example, and the keys below', async () => {
    expect(await explain('exec.onExit')).toBe(`exec.onExit
  when the child ends by itself: exec ends with its status, or starts it again, after 1 s at first and up to 1 m

type:     end, restart
default:  end

example:
  exec:
    onExit: end
`);
    expect(await explain('outputs.NAME.reload[].command')).toBe(`outputs.NAME.reload[].command
  runs a program, never a shell

type:     map

example:
  outputs:
    shop:
      reload:
        - command:
            argv:
              - nginx
              - -s
              - reload

keys:
  argv           the program and its arguments; a program with a slash is a path, one without is looked up on PATH
  timeout        ended after this
  captureOutput  log the last ten lines of standard error when it fails; they may hold values, so see docs/agent.md
`);
  });

  it.each([
    ['secrets.NAME.kv', 'secrets.NAME.kv'],
    ['secrets.app.kv', 'secrets.NAME.kv'],
    ['secrets.kv', 'secrets.NAME.kv'],
    ['secrets.key.kv', 'secrets.NAME.kv'],
    ['secrets.app', 'secrets'],
    ['backends.bao.auth', 'backends.NAME.auth'],
    ['outputs.shop.files.app.format', 'outputs.NAME.files.NAME.format'],
    ['outputs.files', 'outputs.NAME.files'],
    ['outputs.NAME.files.NAME', 'outputs.NAME.files'],
    ['outputs.reload.http.url', 'outputs.NAME.reload[].http.url'],
    ['outputs.shop.reload[0].http.url', 'outputs.NAME.reload[].http.url'],
    ['api.listeners[]', 'api.listeners'],
    ['outputs.shop.files["app.env"].format', 'outputs.NAME.files.NAME.format'],
    ['outputs["my shop"].files["mode"].format', 'outputs.NAME.files.NAME.format'],
    ['outputs.shop.files["app.env"]', 'outputs.NAME.files'],
    ['outputs.shop.files["a.conf"].content, content:2:3', 'outputs.NAME.files.NAME.content'],
    ['conf.d/shop.yaml:9:7: outputs.shop.reload[0].http.url', 'outputs.NAME.reload[].http.url'],
  ])('%s is understood as %s', async (asked, path) => {
    expect((await explain(asked)).split('\n')[0]).toBe(path);
  });

  it.each([
    ['secret', 'there is no key "secret" in a configuration; did you mean "secrets"?', 'The keys there: version, '],
    ['secrets.refrsh', 'there is no key "refrsh" below secrets; did you mean "refresh"?', 'The keys there: kv, '],
    ['backends.bao.auth.metod', 'no key "metod" below backends.NAME.auth; did you mean "method"?', 'mount, '],
    ['maxStale', 'there is no key "maxStale" in a configuration', 'There is secrets.NAME.maxStale'],
    ['log.level.x', 'there is no key "x" below log.level', 'log.level has no keys below it: leave .x out.'],
    ['secrets.app.kv.x', 'no key "x" below secrets.NAME.kv', 'secrets.NAME.kv has no keys below it: leave .x out.'],
  ])('%s is unknown, and the nearest key is named', async (asked, seen, hint) => {
    const error = await explain(asked).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PannierError);
    const { failure } = error as PannierError;
    expect([failure.code, failure.seen]).toEqual(['CONFIG_UNKNOWN_KEY', expect.stringContaining(seen)]);
    expect(failure.hint).toContain(hint);
  });

  it('explains every key, with an example that is YAML and leads to it', async () => {
    for (const [path, { type }] of Object.entries(words)) {
      const text = await explain(path);
      expect(text.split('\n')[0]).toBe(path);
      if (type === undefined) continue;
      const [, example = ''] = /\nexample:\n((?: {2}.*\n)+)/.exec(text) ?? [];
      expect(Object.keys(parse(example)), path).toEqual([path.split('.')[0]]);
    }
  });
});
