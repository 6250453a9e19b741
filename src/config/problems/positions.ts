import { type Failure, type FilePosition, failureAt, formatPosition, ProblemsError } from '../../base/errors.ts';
import { formatPlace, pathKey } from '../place.ts';
import { readJsonMarks } from './json-marks.ts';
import type { ConfigText, Marks } from './marks.ts';
import type { FoundProblem, Spot } from './problems.ts';
import { readYamlMarks } from './yaml-marks.ts';

/** A file, which is read a second time, now for where everything stands, when a place of it is asked for. */
class MarkedFile {
  readonly #read: () => Marks;
  #marks: Marks | undefined;
  readonly lines: LineStarts;

  constructor(text: string, read: () => Marks) {
    this.lines = new LineStarts(text);
    this.#read = read;
  }

  get marks(): Marks {
    this.#marks ??= this.#read();
    return this.#marks;
  }
}

/** Finds where everything stands in these files. */
export async function createPositions(texts: Iterable<ConfigText>): Promise<Positions> {
  const files = new Map<string, MarkedFile>();
  for (const { label, text, isJson, reading } of texts) {
    const yaml = isJson ? undefined : await import('yaml');
    const read = () => (yaml === undefined ? readJsonMarks(text) : readYamlMarks(yaml, text, reading?.document));
    files.set(label, new MarkedFile(text, read));
  }
  return new Positions(files);
}

/** As in `outputs.shop.files.a, /etc/a.hbs:3:7`, see render/template/fault.ts. */
const POSITION_IN_TEMPLATE = /, ([^"]*):(\d+):(\d+)$/;

/** The last step of a place, or what follows a place. Never empty, so that each step makes a place shorter. */
const LAST_STEP = /(?:\["[^"]*"\]|\[[^[\]"]*\]|\.?[^.[\]"]+|.)$/;

/** The problems that were found in these files, each with its position. */
export async function withPositions(
  found: readonly FoundProblem[],
  texts: Iterable<ConfigText>,
): Promise<readonly Failure[]> {
  const positions = await createPositions(texts);
  return found.map((problem) => positions.place(problem));
}

/** The problems, each with the position of its place. */
export async function placed({ failures }: ProblemsError, texts: readonly ConfigText[]): Promise<ProblemsError> {
  const positions = await createPositions(texts);
  return new ProblemsError(failures.map((failed) => positions.byPlace(failed)));
}

export class Positions {
  readonly #files: ReadonlyMap<string, MarkedFile>;
  #spots: ReadonlyMap<string, Spot> | undefined;

  constructor(files: ReadonlyMap<string, MarkedFile>) {
    this.#files = files;
  }

  /** The problem with its position, if it stands in a file. */
  place({ failed, spot, first }: FoundProblem): Failure {
    const told = first === undefined ? failed : { ...failed, seen: failed.seen + this.#text(first) };
    const at = spot && this.#at(spot, failed.code === 'CONFIG_UNKNOWN_KEY');
    return at === undefined ? Object.freeze(told) : failureAt(told, at);
  }

  /**
   * The failure with the position of its place, which is looked for in all files; for failures of templates, which know
   * no file. Unchanged when it has a position, or when no file has such a place.
   */
  byPlace(failed: Failure): Failure {
    if (failed.at !== undefined) return failed;
    this.#spots ??= this.#spotsByPlace();
    const inBlock = this.#inBlock(failed.place, this.#spots);
    if (inBlock !== undefined) return failureAt(failed, inBlock);
    for (
      let place = failed.place.replace(POSITION_IN_TEMPLATE, '');
      place !== '';
      place = place.replace(LAST_STEP, '')
    ) {
      const spot = this.#spots.get(place);
      const at = spot && this.#at(spot, false);
      if (at !== undefined) return failureAt(failed, at);
    }
    return failed;
  }

  /** The position of a place in a template that stands line by line in the file. */
  #inBlock(place: string, spots: ReadonlyMap<string, Spot>): FilePosition | undefined {
    const [part = '', origin, line, column] = POSITION_IN_TEMPLATE.exec(place) ?? [];
    if (origin !== 'content') return undefined;
    const whose = place.slice(0, -part.length);
    const spot = spots.get(`${whose}.content`) ?? spots.get(whose);
    const file = spot && this.#files.get(spot.label);
    const block = file?.marks.blocks.get(pathKey(spot?.path ?? []));
    if (spot === undefined || file === undefined || block === undefined) return undefined;
    const first = file.lines.positionOf(block.offset).line;
    return { file: spot.label, line: first + Number(line) - 1, column: block.indent + Number(column) };
  }

  #spotsByPlace(): ReadonlyMap<string, Spot> {
    const spots = new Map<string, Spot>();
    for (const [label, { marks }] of this.#files) {
      for (const { path } of marks.keys.values()) spots.set(formatPlace(path), { label, path });
    }
    return spots;
  }

  #text(spot: Spot): string {
    const at = this.#at(spot, true);
    return at === undefined ? spot.label : formatPosition(at);
  }

  /**
   * The value at the path, or its key when the value spans lines or `isKey`; of what is missing, what it is missing in.
   */
  #at({ label, path }: Spot, isKey: boolean): FilePosition | undefined {
    const file = this.#files.get(label);
    if (file === undefined) return undefined;
    for (let length = path.length; length > 0; length--) {
      const key = pathKey(path.slice(0, length));
      const isWhole = length === path.length && !isKey;
      const offset = (isWhole ? file.marks.scalars.get(key) : undefined) ?? file.marks.keys.get(key)?.offset;
      if (offset !== undefined) return { file: label, ...file.lines.positionOf(offset) };
    }
    return { file: label, line: 1, column: 1 };
  }
}

/** Turns offsets in a text into lines and columns. */
class LineStarts {
  readonly #starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
    this.#starts = starts;
  }

  positionOf(offset: number): { line: number; column: number } {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}
