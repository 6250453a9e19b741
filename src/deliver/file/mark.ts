import { constants } from 'node:fs';
import { join } from 'node:path';
import type { OwedReload, ReloadMark, Sink } from '../sink.ts';
import type { OutputDirectory } from './directory.ts';
import type { Disk } from './disk.ts';
import type { Folder } from './folder.ts';
import type { Generations } from './generations.ts';
import { MARK, MARK_TMP } from './names.ts';
import { readPublished } from './published.ts';
import { replaceFile } from './replace-file.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** Room for two numbers and the ids of many steps; a longer file is not a mark. */
const MAX_BYTES = 4096;

/**
 * The mark in `..reloaded` (0600): a line with the generation last taken up, as a decimal number, and while the reload
 * of another one is not done a second line with its number and the ids of the steps that are; a line `held N` names a
 * generation that is held back, and a last line `made N:TIME …` says when the directory of each generation was changed
 * last as it was published. It is written beside and renamed over, so a kill leaves the old mark or the new
 * one. A mark that is missing, unreadable or malformed says nothing, and then the published generation is owed: a
 * reload too many does less harm than one too few.
 */
export interface Mark {
  /** The generation that was taken up last; 0: none. */
  readonly takenUp: number;
  /** The generation whose reload has begun, and what is done for it. */
  readonly begun?: OwedReload;
  /** The generation that is held back. */
  readonly held?: number;
  /** By generation the ctime of its directory as it was published, in milliseconds. */
  readonly made?: ReadonlyMap<number, string>;
}

/** The mark of one directory, and what holds a generation back in it. */
export type FileMark = ReloadMark & Pick<Sink, 'hold'>;

/** @param generations knows which generation is held back, and when those that are there were made. */
export function createMark(directory: OutputDirectory, generations: Generations, place: string): FileMark {
  const write = (make: (disk: Disk, folder: Folder) => Promise<Mark>) =>
    directory.work(`cannot write ${join(directory.path, MARK)}`, async (volume, folder) => {
      const { held, made } = generations;
      const mark = { ...(await make(volume.disk, folder)), made, ...(held === undefined ? {} : { held }) };
      await replaceFile(folder, { name: MARK, made: MARK_TMP, bytes: Buffer.from(textOf(mark)) }, volume, place);
    });
  return {
    owed: () => directory.work(`cannot read ${directory.path}`, ({ disk }, folder) => owedReload(disk, folder, place)),
    advance: (generation, done) =>
      write(async (disk, folder) => {
        const { takenUp = 0 } = (await readMark(disk, folder)) ?? {};
        return { takenUp, begun: { generation, done } };
      }),
    settle: (takenUp) => write(async () => ({ takenUp })),
    hold: async (generation) => {
      generations.hold(generation);
      await write(async (disk, folder) => {
        const { held: _, ...mark } = (await readMark(disk, folder)) ?? { takenUp: 0 };
        return mark;
      });
    },
  };
}

/** The reload that is owed for the published generation; undefined: none is. */
async function owedReload(disk: Disk, folder: Folder, place: string): Promise<OwedReload | undefined> {
  const published = await readPublished(disk, folder, place);
  if (published.state !== 'there') return undefined;
  const { generation } = published;
  const mark = await readMark(disk, folder);
  if (mark?.takenUp === generation) return undefined;
  return mark?.begun?.generation === generation ? mark.begun : { generation, done: [] };
}

/** How many generations the mark tells of, more than an output keeps. */
const MAX_MADE = 32;

function textOf({ takenUp, begun, held, made = new Map() }: Mark): string {
  const second = begun === undefined ? '' : `${[begun.generation, ...begun.done].join(' ')}\n`;
  const times = [...made].slice(-MAX_MADE).map(([generation, time]) => ` ${generation}:${time}`);
  const last = times.length === 0 ? '' : `made${times.join('')}\n`;
  const text = `${takenUp}\n${second}${held === undefined ? '' : `held ${held}\n`}`;
  return text.length + last.length > MAX_BYTES ? text : text + last;
}

const TEXT =
  /^(0|[1-9]\d{0,14})\n(?:([1-9]\d{0,14})((?: [\w-]+)+)\n)?(?:held ([1-9]\d{0,14})\n)?(?:made((?: [1-9]\d{0,14}:[\d.]{1,20})+)\n)?$/;

/** Undefined when the mark is missing, unreadable or malformed. */
export async function readMark(disk: Disk, folder: Folder): Promise<Mark | undefined> {
  try {
    const file = await disk.open(folder.at(MARK), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(MAX_BYTES);
      const { bytesRead } = await file.read(buffer, 0, MAX_BYTES, 0);
      const found = TEXT.exec(buffer.toString('latin1', 0, bytesRead));
      if (found === null) return undefined;
      const [, takenUp, generation, ids = '', held, times] = found;
      const begun = { generation: Number(generation), done: ids.split(' ').slice(1) };
      return {
        takenUp: Number(takenUp),
        ...(generation === undefined ? {} : { begun }),
        ...(held === undefined ? {} : { held: Number(held) }),
        ...(times === undefined ? {} : { made: madeIn(times) }),
      };
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

function madeIn(times: string): ReadonlyMap<number, string> {
  const pairs = times.trim().split(' ');
  return new Map(pairs.map((pair) => [Number(pair.slice(0, pair.indexOf(':'))), pair.slice(pair.indexOf(':') + 1)]));
}
