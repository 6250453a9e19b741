import { type Cut, cutIn } from './cut.ts';

const sink = cutIn('src/deliver/file/file-sink.ts');
const candidate = cutIn('src/deliver/file/candidate.ts');
const generations = cutIn('src/deliver/file/generations.ts');
const links = cutIn('src/deliver/file/links.ts');
const plan = cutIn('src/deliver/file/plan.ts');
const volume = cutIn('src/deliver/file/volume.ts');
const published = cutIn('src/deliver/file/published.ts');
const writer = cutIn('src/lease/item-writer.ts');
const loop = cutIn('src/agent/output-loop.ts');
const view = cutIn('src/render/view.ts');

const LINKS = 'await makeLinks(this.#disk, this.#dir, links, this.#place); // 4.';
const SWAP = 'await replaceLink(this.#disk, this.#dir, generationName(generation), DATA_TMP, DATA); // 5.';
const RENAME = 'await disk.rename(made, join(dir, name));';
const KEPT = 'if (number === published || number === previous) continue;';
const REQUIRED = 'if (output.requireTmpfs && tmpfs !== true) throw';

export const PUBLISHING: readonly Cut[] = [
  links('inside-dir', 'const made = join(dir, temporary);', "const made = join(dir, '..', temporary);"),
  sink('layout', SWAP, SWAP.replace('generationName(generation)', 'join(this.#dir, generationName(generation))')),
  cutIn('src/deliver/file/names.ts')('layout', "name.split('/', 1)[0] as string", 'name', { by: 'with slashes' }),
  candidate(
    'one-look-up',
    'await handle.writeFile(file.bytes);',
    'await handle.writeFile(file.bytes.subarray(0, 3));',
    { by: 'keeps bytes' },
  ),
  sink(
    'no-mix',
    SWAP,
    `await rm(join(this.#dir, generationName(this.#published ?? 0)), { recursive: true, force: true });\n        ${SWAP}`,
    {
      by: '100,000',
      slow: true,
    },
  ),
  generations('no-mix', 'KEEP_MS = 10_000', 'KEEP_MS = 0', { by: 'is still whole' }),
  generations('previous-generation-stays', 'KEEP_MS = 10_000', 'KEEP_MS = 3_000'),
  generations('previous-generation-stays', KEPT, 'if (number === published) continue;'),
  generations(
    'previous-generation-stays',
    'this.#replacedAt.set(number, this.#clock.monoMs() - age);',
    'this.#replacedAt.set(number, -1e12);',
    { by: 'by the process before' },
  ),
  published(
    'foreign-data-replaced',
    "if (generation === undefined) return { state: 'foreign' };",
    "if (generation === undefined) throw fail('OUTPUT_OCCUPIED', place, 'not ours');",
  ),
  cutIn('docs/operations.md')('docs-say-one-file', 'belongs in one file', 'may stand anywhere'),
  sink('equal-bytes', "return 'equal';", 'void 0;'),
  loop(
    'equal-bytes',
    'const owed = await this.progress.owed();',
    'const owed = (await this.progress.owed()) ?? generation;',
    { by: 'reload nothing' },
  ),
  links(
    'killed-anywhere',
    RENAME,
    `await (async () => disk.unlink(join(dir, name)))().catch(() => undefined);\n  ${RENAME}`,
    {
      by: 'each single call',
    },
  ),
  sink('killed-anywhere', `${LINKS}\n        ${SWAP}`, `${SWAP}\n        ${LINKS}`, { by: 'each single call' }),
  sink('next-start-cleans', 'for (const name of TEMPORARIES) {', 'for (const name of TEMPORARIES.slice(1)) {'),
  cutIn('src/config/resolve-output.ts')('files-0400', 'const MODE = 0o400;', 'const MODE = 0o444;'),
  plan('dir-created', 'let mode = 0o700;', 'let mode = 0o755;'),
  volume('dir-created', 'await folder.chmod(mode);', '', { by: 'its dirMode' }),
  volume(
    'dir-never-chmodded',
    'await access(dir, constants.W_OK | constants.X_OK);',
    'const again = await openFolder(dir);\n    await again.chmod(planNewDir(output).mode);\n    await again.close();',
  ),
  plan('x-where-r', '? 0o050 : 0o011', '? 0o040 : 0o011'),
  candidate('access-before-the-swap', 'await handle.chmod(file.mode);', '', { by: 'modes stand' }),
  candidate('access-before-the-swap', 'await setOwner(handle, file.owner, place, shown);', '', { by: 'owners stand' }),
  volume(
    'no-symlink-followed-out',
    "(await unless('ENOENT', () => lstat(dir)))",
    "(await unless('ENOENT', async () => (await import('node:fs/promises')).stat(dir)))",
  ),
  links('no-symlink-followed-out', 'else if (!isOurLink(found.target)) throw', 'else if (found === null) throw', {
    by: 'a name that leads elsewhere',
  }),
  candidate('no-symlink-followed-out', 'volume.procFd ? `/proc/self/fd/${root.fd}` : path', 'path', {
    by: 'one exchanged',
  }),
  published(
    'no-symlink-followed-out',
    '() => disk.lstat(path));\n  return',
    "async () => (await import('node:fs/promises')).stat(path));\n  return",
    {
      by: 'is not read through',
    },
  ),
  loop('tmpfs-warning', 'if (tmpfs === false) {', 'if (tmpfs === null) {'),
  loop('tmpfs-warning', 'if (tmpfs === false) {', 'if (tmpfs === null) {', { by: 'run warns' }),
  volume('tmpfs-required', REQUIRED, 'if (output.requireTmpfs && tmpfs === null) throw'),
  volume('tmpfs-required', REQUIRED, 'if (output.requireTmpfs && tmpfs === null) throw', { by: 'init refuses' }),
  cutIn('src/agent/run.ts')('tmpfs-required', "code === 'OUTPUT_NOT_TMPFS'", "code === 'INTERNAL'", { by: 'run ends' }),
  writer('deleted-is-kept', "gone ? 'deleted' : why.code", 'why.code'),
  writer(
    'deleted-is-kept',
    "if (entry === undefined || entry.state === 'absent') {\n      const isSame = entry?.why",
    "if (entry?.state !== 'expired') {\n      const isSame = entry?.why",
  ),
  sink(
    'files-go-with-their-configuration',
    'await removeStaleLinks(this.#disk, this.#dir, plan.links).catch(() => undefined);',
    '',
  ),
  links('files-go-with-their-configuration', "if (typeof found === 'string' || !isOurLink(found.target)) return;", ''),
  cutIn('src/source/aws-prefix.ts')(
    'files-go-with-their-prefix',
    'const fields = new Map<string, Value>();',
    'const fields = new Map<string, Value>(last?.fields);',
  ),
  cutIn('src/lease/item.ts')(
    'optional-holds-nothing-up',
    "Object.freeze({ state: 'absent', why, optional, stateNumber })",
    "Object.freeze({ state: 'absent', why, optional: false, stateNumber })",
  ),
  view('optional-holds-nothing-up', "(entry.state === 'absent' && !entry.optional)", "entry.state === 'absent'", {
    by: 'a renderer',
  }),
  view('optional-holds-nothing-up', "(entry.state === 'absent' && !entry.optional)", "entry.state === 'absent'", {
    by: 'the pipeline',
  }),
  cutIn('src/render/outcome.ts')(
    'absent-is-falsy',
    'if (outcome instanceof Missing) return false;',
    'if (outcome instanceof Missing) throw outcome.toFault();',
  ),
  cutIn('src/deliver/http/bind.ts')('sockets-0600', 'await chmod(staged, where.mode);', ''),
  cutIn('src/deliver/http/bind.ts')(
    'sockets-0600',
    '      await moveTo(staged, path, place);\n',
    '      await moveTo(staged, path, place);\n    await chmod(path, 0o777);\n    await lstat(path);\n    await chmod(path, where.mode);\n',
    { by: 'whatever the umask' },
  ),
];
