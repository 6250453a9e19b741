import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { loadWords } from '../../src/config/words/all-words.ts';

const ROW = /^\| `([\w.[\]-]+)` \|.*\|$/gm;

/** docs/configuration.md with the rows of its keys made of the words that `pannier explain` says. */
export async function configurationPage(page: string): Promise<string> {
  const all = await loadWords(BACKEND_KINDS);
  return page.replace(ROW, (row, key: string) => {
    const words = all[key];
    if (words === undefined) return row;
    const cells = [words.type, words.default, words.does].map((text = '') => (text === '' ? '' : `${text} `));
    return `| \`${key}\` | ${cells.join('| ')}|`;
  });
}
