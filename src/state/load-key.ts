import { errnoOf } from '../base/errno.ts';
import { fail } from '../base/errors.ts';
import { readFileInTime } from '../base/read-file.ts';
import type { StateConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { MIN_KEY_BYTES, type SealKey, sealKeyOf } from './seal.ts';
import { MAX_KEY_BYTES, type StateFolder } from './state-file.ts';

/** The key that a configuration names. @throws PannierError STATE_KEY, or STATE_NOT_WRITABLE of the directory. */
export async function loadSealKey(
  { key, place }: StateConfig,
  folder: Pick<StateFolder, 'keyBeside'>,
  env: Environment,
): Promise<SealKey> {
  if (key.from === 'wrapped') throw new TypeError('openWrappedState() reads this key');
  if (key.from === 'beside') return usable(await folder.keyBeside(), `${place}.path`, 'the key beside the state');
  if (key.from === 'file') {
    const at = `${place}.keyFile`;
    const read = readFileInTime(key.file, { maxBytes: MAX_KEY_BYTES });
    const { bytes } = await read.catch((error: unknown) => {
      throw fail('STATE_KEY', at, `${key.file} cannot be read (${errnoOf(error) ?? 'unknown error'})`);
    });
    return usable(bytes, at, key.file);
  }
  const at = `${place}.keyEnv`;
  const text = env[key.name];
  if (text === undefined) throw fail('STATE_KEY', at, `the variable ${key.name} is not set`);
  return usable(Buffer.from(text), at, `the variable ${key.name}`);
}

function usable(material: Uint8Array, place: string, what: string): SealKey {
  const key = sealKeyOf(material);
  if (key === undefined) throw fail('STATE_KEY', place, `${what} has fewer than ${MIN_KEY_BYTES} bytes`);
  return key;
}
