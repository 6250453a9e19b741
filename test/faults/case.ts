/** What a case of the fault suite is: one fault, how it is made and mended, and what must be seen. */
import type tls from 'node:tls';
import type { Moto, World, WorldOptions } from '../servers/index.ts';
import type { Agent } from '../system/agent.helpers.ts';
import type { FaultProxy } from './fault-proxy.ts';
import type { Reader } from './reader.ts';
import type { SharedServers } from './scene.ts';

/** The right to mount, or libfaketime. */
export type Need = 'mount' | 'faketime';

export type Backend = 'OpenBao' | 'AWS (moto)';

/** The state of the one secret, as `GET /v1/status` tells it. */
export interface Told {
  readonly secret: string;
  /** The code of the failure of the secret, of its output or of its backend. */
  readonly code: string | undefined;
  readonly output: string;
  readonly ready: boolean;
}

/** What a case acts on: a server, the fault proxy in front of it, an agent, and those who read. */
export interface Scene {
  readonly mode: Mode;
  /** Each case has one of the two. */
  readonly world: World;
  readonly moto: Moto;
  readonly proxy: FaultProxy;
  readonly agent: Agent;
  readonly files: Reader;
  readonly api: Reader;
  /** A private directory of the case; the output is `out` in it. */
  readonly dir: string;
  readonly out: string;
  /** The path of the secret below `secret/data/` (OpenBao), or its name (AWS). */
  readonly path: string;
  /** The number of the newest value. */
  readonly number: number;
  /** Gives the secret its next value, past the proxy. */
  rotate(): Promise<void>;
  /** What status says of a secret, `app` when absent. */
  told(secret?: string): Promise<Told>;
  /** Something that a case keeps between its steps. */
  readonly kept: Map<string, unknown>;
  /** Undone after the case, the last first. */
  after(undo: () => unknown): void;
}

/** Short: each fault lasts until the agent has met it a few times. Full: it lasts as long as figures need. */
export type Mode = 'short' | 'full';

export interface Setup {
  /** A server of its own with these options; absent: one that other cases use too. */
  readonly world?: WorldOptions;
  /** The certificate of the proxy, and what the configuration says of it; absent: plain HTTP. */
  readonly tls?: (dir: string) => Promise<{ readonly server: tls.TlsOptions; readonly client: object }>;
  /** Where the agent finds the proxy. */
  readonly address?: (proxy: FaultProxy) => string;
  /** More keys of the backend, the secret, the output. */
  readonly backend?: object;
  readonly secret?: (path: string) => object;
  readonly output?: object;
  /** Further parts of the configuration. */
  readonly more?: (dir: string) => {
    readonly backends?: object;
    readonly secrets: object;
    readonly outputs: object;
  };
  /** The output's place below the directory of the case; absent: `out`. */
  readonly out?: string;
  /** Writes a value past the proxy, where it is not the usual secret. */
  readonly put?: (world: World, path: string, value: string) => Promise<unknown>;
  /** Before the agent starts. */
  readonly prepare?: (scene: Prepared) => Promise<Start>;
}

export type Prepared = Pick<Scene, 'dir' | 'out' | 'proxy' | 'after' | 'kept' | 'world'>;

/** How the agent is started. */
export interface Start {
  readonly backend?: object;
  readonly env?: Readonly<Record<string, string>>;
  /** Words before `node pannier.js run …`. */
  readonly under?: readonly string[];
}

/** One row of docs/reliability.md. */
export interface FaultCase {
  /** Stable. */
  readonly id: string;
  readonly group: string;
  /** What happens, as the table says it. */
  readonly fault: string;
  readonly on: Backend;
  readonly setup?: Setup;
  /** Left out of `npm test`, since a like one is played there. */
  readonly onlyInFull?: boolean;
  /** What not every machine has, see `needs.ts`. */
  readonly needs?: Need;
  inject(scene: Scene): unknown;
  heal(scene: Scene): unknown;
  /** A further check while the fault lasts. */
  during?(scene: Scene): unknown;
  /** Resolves when all is well again although the fault lasts; this is timed from the fault on. */
  recovers?(scene: Scene): Promise<unknown>;
  readonly expect: {
    /** The secret that is looked at; absent: `app`. */
    readonly of?: string;
    /** The state of the secret in the fault; `fresh` where nothing is seen of it. */
    readonly secret?: 'fresh' | 'stale' | 'expired';
    /** The codes that status may have. */
    readonly codes?: readonly string[];
    readonly output?: string;
    /** Whether `/readyz` answers 200 in the fault; absent: yes. */
    readonly ready?: boolean;
    /** When readers of files have the value that came in the fault; those of the API too, unless the output failed. */
    readonly rotated?: 'in the fault' | 'after it' | 'no value comes';
    /** How often the fault is met in a short run; absent: 3. */
    readonly met?: number;
    /** Readers of files find none while the directory is gone. */
    readonly filesGo?: boolean;
    /** The most requests in a second of the fault; absent: 8. */
    readonly peak?: number;
    /** The most requests in a second after it; absent: 12. */
    readonly peakAfter?: number;
    /** Not more memory than this was ever used. */
    readonly peakMiB?: number;
  };
  /** Further checks, after all has healed. */
  check?(scene: Scene): unknown;
}

/** A case with a course of its own. */
export interface PlayedCase extends Pick<FaultCase, 'id' | 'group' | 'fault' | 'on' | 'onlyInFull' | 'needs'> {
  play(mode: Mode, shared: SharedServers): Promise<Omit<Figures, 'id'>>;
}

/** What was measured, for the table. */
export interface Figures {
  readonly id: string;
  readonly status: string;
  readonly readers: string;
  readonly asked: string;
  readonly recovery: string;
  readonly fresh: string;
}
