import { globSync, readFileSync } from 'node:fs';

/** A fenced block of a page. */
export interface Fenced {
  /** The page and the number of the block. */
  readonly name: string;
  readonly page: string;
  /** The word after the fence: `sh`, `yaml`, or none. */
  readonly language: string;
  readonly text: string;
}

/** README.md, docs/ and the READMEs of examples. */
export const pages = (): readonly string[] =>
  ['README.md', ...globSync('docs/**/*.md'), ...globSync('examples/**/*.md')].sort();

export function fencedBlocks(): readonly Fenced[] {
  return pages().flatMap((page) => {
    const found = readFileSync(page, 'utf8').matchAll(/^( *)```(\w*)\n(.*?)^ *```$/gms);
    return [...found].map(([, indent = '', language = '', text = ''], at) => ({
      name: `${page} block ${at + 1}${language === '' ? '' : ` (${language})`}`,
      page,
      language,
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }));
  });
}

/** Every `pannier …` on the pages: a line of a block, or a piece of code in a sentence. */
export function commandLines(): readonly { readonly where: string; readonly words: readonly string[] }[] {
  const typed = fencedBlocks()
    .filter(({ language }) => language === '' || language === 'sh')
    .flatMap(({ name, text }) =>
      [
        ...joined(text).matchAll(
          /(?:^|[;&|(] *)(?:\$ )?(?:npx )?(?:\.\/|\S*\/)?pannier(?:\.js)? ([a-z-][^\n|;&>#)]+)/gm,
        ),
      ].map(([, line = '']) => ({ where: name, words: wordsOf(line) })),
    );
  const said = pages().flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/`pannier ([a-z][^`|]*)`/g)].map(([, line = '']) => ({
      where: page,
      words: wordsOf(line.replaceAll(/\s+/g, ' ')).filter((word) => !/^[[<]/.test(word)),
    })),
  );
  return [...typed, ...said];
}

/** Joins a line that ends with a backslash to the next one. */
const joined = (text: string): string => text.replaceAll(/\\\n\s*/g, ' ');

function wordsOf(line: string): readonly string[] {
  return [...line.trim().matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, one, two, three]) => one ?? two ?? three ?? '',
  );
}
