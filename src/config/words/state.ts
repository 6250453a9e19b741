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
  'state.transit': { does: '*not yet supported*' },
  'state.maxAge': {
    type: 'duration',
    default: '`1d`',
    does: 'a value without `maxStale` is served at a start only while it is younger',
  },
};
