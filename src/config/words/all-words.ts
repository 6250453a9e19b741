import type { BackendKindConfig } from '../sections/backends/kind.ts';
import { backendsWords } from './backends.ts';
import { checksWords } from './checks.ts';
import { execWords } from './exec.ts';
import { listenersWords } from './listeners.ts';
import { logWords } from './log.ts';
import { outputsWords } from './outputs.ts';
import { reloadWords } from './reload.ts';
import { sdsWords } from './sds.ts';
import { secretsWords } from './secrets.ts';
import { sectionsWords } from './sections.ts';
import { stateWords } from './state.ts';
import { tracesWords } from './traces.ts';
import type { KeyWords, Words } from './words.ts';

/** The words of all keys, with those of these kinds of backends. What several kinds share is said by the first. */
export async function loadWords(kinds: readonly BackendKindConfig[]): Promise<Words> {
  const ofKinds = await Promise.all(kinds.map(async (kind) => (await kind.loadWords?.()) ?? {}));
  const parts = [
    sectionsWords,
    backendsWords,
    ...ofKinds,
    secretsWords,
    outputsWords,
    reloadWords,
    checksWords,
    execWords,
    listenersWords,
    sdsWords,
    stateWords,
    logWords,
    tracesWords,
  ];
  const all: Record<string, KeyWords> = {};
  for (const part of parts) for (const [key, words] of Object.entries(part)) all[key] ??= words;
  return all;
}
