import type { Wrong } from '../wrong.ts';
import { PREFIX } from './known.ts';
import { VAULT_PREFIXES } from './read-vault.ts';

/** Kubernetes takes at most 256 KiB of annotations with an object. */
export const MAX_ANNOTATION_BYTES = 256 * 1024;

/**
 * What is read of one pod. One process reviews the pods of a whole cluster, one after the other, so that what one pod
 * asks for must not keep the others waiting. The effective configuration comes in addition.
 */
const MAX_READ_BYTES = 32 * 1024;
const MAX_READ = 500;

/** Whatever is one text: a template, a map in YAML. `config` holds all of them. */
const MAX_ONE_BYTES = 16 * 1024;
const WHOLE = ['config', 'effective-config'].map((name) => PREFIX + name);

/** Looks at the number and the size of the annotations before one of them is read. */
export function checkSize(all: ReadonlyMap<string, string>, wrong: Wrong[]): void {
  const where = 'metadata.annotations';
  const read = [...all].filter(([name]) => [PREFIX, ...VAULT_PREFIXES].some((prefix) => name.startsWith(prefix)));
  const total = [...all].reduce((sum, [name, value]) => sum + bytesOf(name) + bytesOf(value), 0);
  if (total > MAX_ANNOTATION_BYTES) {
    wrong.push({ where, seen: `have ${total} bytes, and Kubernetes takes ${MAX_ANNOTATION_BYTES}` });
  }
  if (read.length > MAX_READ) {
    wrong.push({ where, seen: `are ${read.length} for the agent, of at most ${MAX_READ}: use config-map` });
  }
  const ours = read.reduce((sum, [name, value]) => sum + (name === WHOLE[1] ? 0 : bytesOf(value)), 0);
  if (ours > MAX_READ_BYTES) {
    wrong.push({ where, seen: `have ${ours} bytes for the agent, of at most ${MAX_READ_BYTES}: use config-map` });
  }
  for (const [name, value] of read) {
    const bytes = bytesOf(value);
    if (bytes <= MAX_ONE_BYTES || WHOLE.includes(name)) continue;
    wrong.push({ where: name, seen: `has ${bytes} bytes, of at most ${MAX_ONE_BYTES}: use config-map` });
  }
}

const bytesOf = (text: string): number => Buffer.byteLength(text);
