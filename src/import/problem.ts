import type { Position } from '../render/template/position.ts';

/** Where something stands in one of the files. */
export interface Place extends Position {
  readonly file: string;
}

/** Something that was not converted. Neither text holds a value of the configuration that may be a secret. */
export interface Problem {
  readonly place: Place;
  readonly seen: string;
  readonly todo: string;
}

/** `agent.hcl:3:5: what. What to do` */
export function formatProblem({ place: { file, line, column }, seen, todo }: Problem): string {
  return `${file}:${line}:${column}: ${seen}. ${todo}`;
}

/** What a conversion tells besides its result. */
export class Notes {
  readonly problems: Problem[] = [];
  /** What needs no place here, or comes out differently: it is told in comments of the configuration. */
  readonly #remarks = new Set<string>();

  problem(place: Place, seen: string, todo: string): void {
    this.problems.push({ place, seen, todo });
  }

  remark(place: Place | undefined, text: string): void {
    const where = place === undefined ? '' : `${place.file}:${place.line}: `;
    this.#remarks.add(where + text);
  }

  get remarks(): readonly string[] {
    return [...this.#remarks];
  }
}
