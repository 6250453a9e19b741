import type { Notes, Place } from '../problem.ts';
import type { TemplateProblem } from '../template/convert.ts';
import type { Out } from '../template/out.ts';
import { Names, WantedSecrets } from '../template/wanted-secrets.ts';
import type { SentSignal } from './signal-command.ts';
import { YamlMap } from './yaml.ts';

/** A file of an output, before it is known how its secrets are written. */
export interface DraftFile {
  /** Absolute, or relative as it was written. */
  readonly path: string;
  readonly parts: readonly Out[];
  /** Values beside the template. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly mode: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly quiet?: string;
  readonly maxWait?: string;
  readonly command?: { readonly argv: readonly string[]; readonly timeout?: string };
  /** What a command does that sends a signal alone, in its place. */
  readonly signal?: SentSignal;
  /** Where the template came from, for a comment and the name of the template's file. */
  readonly origin: string;
}

export interface DraftVariable {
  readonly name: string;
  readonly parts: readonly Out[];
  readonly origin: string;
}

/** What the parts of a conversion put together. */
export class Draft {
  readonly notes: Notes;
  readonly secrets = new WantedSecrets(new Names());
  readonly files: DraftFile[] = [];
  readonly variables: DraftVariable[] = [];
  /** Sections that are written as they are. */
  readonly backend = new YamlMap();
  readonly exec = new YamlMap();
  readonly proxy = new YamlMap();
  readonly admin = new YamlMap();
  readonly log = new YamlMap();
  /** Secrets that no template names, by name. */
  readonly plainSecrets = new Map<string, { readonly request: YamlMap; readonly comment: string }>();
  /** How often a secret without a lease is polled; absent: at the default. */
  refresh: string | undefined;
  /** A variable has a name that no shell can use. */
  needsAnyName = false;
  /** Variables of the child whose values stand in the configuration itself. */
  readonly constants = new Set<string>();
  /** Where the parts of the result come from, by their places in it. */
  readonly sources = new Map<string, string>();
  /** The child of exec is told of changed files. */
  childReload: 'restart' | string | undefined;

  constructor(notes: Notes) {
    this.notes = notes;
  }
}

/** Turns the place of a template's problem into a place of a file. */
export type Locate = (offset: number) => Place;

export function tellTemplate(
  notes: Notes,
  locate: Locate,
  { problems, differences }: { readonly problems: readonly TemplateProblem[]; readonly differences: readonly string[] },
): void {
  for (const { offset, seen, todo } of problems) notes.problem(locate(offset), seen, todo);
  for (const difference of differences) notes.remark(locate(0), difference);
}
