import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';

const WIDTH = 120;

const files = ['src', 'test', 'scripts'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|mjs|cjs)$/.test(name))
    .map((name) => `${folder}/${name}`),
);

describe('the house style', () => {
  it(`a comment is no wider than ${WIDTH} characters, like code`, () => {
    const wide = files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          /^\s*(?:\/\*\*?|\*|\/\/)/.test(line) && [...line].length > WIDTH && !/https?:\/\/\S{60}/.test(line)
            ? [`${file}:${index + 1}`]
            : [],
        ),
    );
    expect(wide).toEqual([]);
  });

  it('no file is named utils, helpers, common or misc', () => {
    expect(files.filter((file) => /^(?:utils?|helpers?|common|misc)\.ts$/.test(basename(file)))).toEqual(
      files.filter((file) => file === 'src/render/helpers/helper.ts'),
    );
  });

  it('code that tests share is in *.helpers.ts, or in a file with fake in its name', () => {
    const folders =
      /^test\/(?:agent|backend|base|cli|config|deliver|http|lease|log|observe|process|reload|render|system)\//;
    const named = /\.(?:test|helpers)\.ts$|\/fake-[\w-]+\.ts$/;
    expect(files.filter((file) => folders.test(file) && !named.test(file))).toEqual([]);
  });
});
