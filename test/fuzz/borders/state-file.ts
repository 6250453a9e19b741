import * as fc from 'fast-check';
import { Secret } from '../../../src/base/secret.ts';
import { decodeContents, encodeContents } from '../../../src/state/contents.ts';
import { EarlierState } from '../../../src/state/earlier-state.ts';
import { type SealKey, seal, sealKeyOf, unseal } from '../../../src/state/seal.ts';
import { type Border, CANARY } from '../border.ts';
import { damaged, json } from '../inputs.ts';

const NAMES = [
  'savedWallMs',
  'secrets',
  'logins',
  'id',
  'backend',
  'fetchedWallMs',
  'value',
  'fields',
  'leaf',
  'text',
  'map',
  'list',
  'life',
  'kind',
  'version',
  'login',
  'identity',
  'token',
  'ttlMs',
  'startedMonoMs',
];

/** The sealed file of an earlier process, damaged; and what stands in it, from a key holder that is not Pannier. */
export const stateFile: Border<{ readonly sealed: Buffer } | { readonly contents: Buffer }> = {
  name: 'the state file',
  share: 14_000,
  async open() {
    const key = sealKeyOf(Buffer.alloc(32, 'k')) as SealKey;
    const life = {
      kind: 'lease',
      leaseId: Secret.text(CANARY),
      ttlMs: 1,
      renewable: true,
      startedMonoMs: 1,
      loginId: 1,
    };
    const fetched = { fields: new Map([['password', Secret.text(CANARY)]]), version: '1', life: life as never };
    const plain = encodeContents({
      savedWallMs: 1,
      secrets: [{ id: 'a', backend: 'bao', fetchedWallMs: 1, value: fetched }],
      logins: [],
    });
    const whole = seal(plain, key);
    const want = { id: 'a', backend: 'bao', request: { kind: 'x' }, place: 'p', refreshMs: 1, optional: false };
    return {
      inputs: fc.oneof(
        fc.record({ sealed: damaged(fc.constant(whole)) }),
        fc.record({
          contents: damaged(
            fc.oneof(
              fc.constant(plain),
              json(NAMES).map((one) => JSON.stringify(one) ?? ''),
            ),
          ),
        }),
      ),
      async feed(input) {
        if ('sealed' in input) {
          const opened = unseal(input.sealed, key);
          if (!('why' in opened)) {
            if (!input.sealed.equals(whole)) throw new Error('a changed file was opened');
            return [];
          }
          return [opened.why];
        }
        const contents = decodeContents(input.contents);
        if (contents === undefined) return [];
        const earlier = new EarlierState(contents, 1_000, () => ({ wallMs: 5, monoMs: 5 }));
        return [earlier.find(want) === undefined ? 'none' : 'found'];
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
