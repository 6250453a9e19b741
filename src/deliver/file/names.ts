/**
 * The names in an output's directory. All but the top-level links begin with `..`, which no output file name may:
 *
 *     app.env -> ..data/app.env     what applications open
 *     ..data  -> ..g7               the published generation; replaced by rename, never changed
 *     ..g6/  ..g7/                  generations: the files themselves
 *     ..reloaded                    number of the last generation that was taken up, and how far the next one came
 *     ..kept                        certificates and their keys, so that the next process need not issue them again
 *     ..statement                    what the generations are made of: names and versions, for the next process
 *     ..owner                       socket of the agent that publishes here, while it runs
 *     ..owner_*                     sockets of agents that are about to own the directory, or be refused
 *     ..*_tmp                        made and renamed within one step; left only by a kill
 */
export const DATA = '..data';
export const DATA_TMP = '..data_tmp';
export const LINK_TMP = '..link_tmp';
export const MARK = '..reloaded';
export const MARK_TMP = '..reloaded_tmp';
export const OWNER = '..owner';
/** Begins the names of sockets that are not in their place yet, and of the lock of an agent that takes over. */
export const OWNER_TMP = `${OWNER}_`;
export const KEPT = '..kept';
export const KEPT_TMP = '..kept_tmp';
export const STATEMENT = '..statement';
export const STATEMENT_TMP = '..statement_tmp';
export const TEMPORARIES: readonly string[] = [DATA_TMP, LINK_TMP, MARK_TMP, KEPT_TMP, STATEMENT_TMP];

const GENERATION = /^\.\.g([1-9]\d{0,14})$/;

export const generationName = (generation: number): string => `..g${generation}`;

/** The number in `..g7`; undefined for every other name. */
export function generationNumber(name: string): number | undefined {
  const digits = GENERATION.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The first part of a file name, which is the name of its top-level link: `certs` of `certs/tls.pem`. */
export const firstComponent = (name: string): string => name.split('/', 1)[0] as string;

/** Where a top-level link points. It is relative, so that it means the same in every mount of the volume. */
export const linkTarget = (name: string): string => `${DATA}/${name}`;

/** Whether Pannier made a link, judged by its target. Only such links are ever replaced or removed. */
export const isOurLink = (target: string): boolean => target.startsWith(`${DATA}/`);
