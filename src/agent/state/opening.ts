import type { KeyWrap } from '../../backend/key-wrap.ts';
import type { WrappingKey } from '../../config/config.ts';
import type { StateKeeper } from './keeper.ts';

/** The opening of a state. Disposing of it ends the tries; a login that was made for them is revoked. */
export interface StateOpening extends AsyncDisposable {
  /** Resolves with the state, or with undefined when the start goes on without it. */
  readonly first: Promise<StateKeeper | undefined>;
}

/** What the opening of a state asks of the agent. */
export interface OpeningHooks {
  /** Opens the backend's key; nothing is sent yet. */
  readonly openWrap: (key: WrappingKey) => Promise<KeyWrap>;
  /** Whether a backend that is about to be opened can go on with the login that the key needs. */
  readonly goesOn: (backend: string) => boolean;
  /** Called with the state when it could be opened only after the start went on without it. */
  readonly late: (keeper: StateKeeper) => void;
}
