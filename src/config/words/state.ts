import type { Words } from './words.ts';

/** The section `state`. */
export const stateWords: Words = {
  'state.path': {
    type: 'path',
    default: 'required',
    does: 'a directory for the one file `state`; made with mode 0700',
    examples: ['/run/pannier-state'],
  },
  'state.keyFile': {
    type: 'path',
    default: 'a key that is made beside the state, on tmpfs only',
    does: 'a file with at least 32 random bytes, which the key is made of; keep it elsewhere than the state',
    examples: ['/etc/pannier/state.key'],
  },
  'state.keyEnv': {
    type: 'name',
    does: 'a variable with the same, instead; its name begins with `PANNIER_`, so that commands do not get it',
    examples: ['PANNIER_STATE_KEY'],
  },
  'state.transit': {
    type: 'map',
    does: 'a key that a backend keeps, instead: it [encrypts the key of the state](state.md#a-key-that-openbao-keeps)',
    examples: [{ backend: 'bao', key: 'pannier-shop' }],
  },
  'state.transit.backend': {
    type: 'name',
    default: 'required',
    does: 'the backend, of kind `vault`; Pannier logs in there at each start',
    examples: ['bao'],
  },
  'state.transit.mount': { type: 'text', default: '`transit`', does: 'where the transit engine is mounted' },
  'state.transit.key': {
    type: 'name',
    default: 'required',
    does: 'the key, which must be there',
    examples: ['pannier-shop'],
  },
  'state.maxAge': {
    type: 'duration',
    default: '`1d`',
    does: 'a value without `maxStale` is served at a start only while it is younger',
  },
};
