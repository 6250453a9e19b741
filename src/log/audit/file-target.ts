import { LogFile } from '../log-file.ts';
import type { LineTarget, TargetDeps } from './target.ts';

/** A pipe that is full is looked at again after this time. */
const FULL_MS = 100;

const LINE_END = Buffer.from('\n');

/** A file, or a pipe: written at once, with what a full pipe does not take left for later. */
export class FileTarget implements LineTarget {
  readonly #path: string;
  readonly #place: string;
  readonly #deps: TargetDeps;
  #file: LogFile | undefined;
  #cancelLook: (() => void) | undefined;
  /** The last line is there in part. */
  #isInLine = false;
  /** What is written next begins a line, and a part of another one may be before it. */
  #needsBreak = false;

  constructor(path: string, place: string, deps: TargetDeps) {
    this.#path = path;
    this.#place = place;
    this.#deps = deps;
  }

  async open(): Promise<void> {
    const file = await LogFile.open(this.#path, this.#place);
    this.#file?.[Symbol.dispose]();
    this.#file = file;
    this.#needsBreak = this.#isInLine;
  }

  write(bytes: Buffer): number {
    const taken = this.#put(bytes);
    if (taken === 0) this.#cancelLook ??= this.#deps.after(FULL_MS, () => this.#look());
    return taken;
  }

  close(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    this.#file?.[Symbol.dispose]();
    this.#file = undefined;
  }

  #put(bytes: Buffer): number {
    if (this.#file === undefined) return 0;
    if (this.#needsBreak && this.#file.writeSome(LINE_END) === 0) return 0;
    this.#needsBreak = false;
    const taken = this.#file.writeSome(bytes);
    if (taken > 0) this.#isInLine = taken < bytes.length;
    return taken;
  }

  #look(): void {
    this.#cancelLook = undefined;
    this.#deps.onReady();
  }
}
