import { type Cut, cutIn } from './cut.ts';

const sink = cutIn('src/deliver/file/file-sink.ts');
const directory = cutIn('src/deliver/file/directory.ts');
const candidate = cutIn('src/deliver/file/candidate.ts');
const generations = cutIn('src/deliver/file/generations.ts');
const links = cutIn('src/deliver/file/links.ts');
const held = cutIn('src/base/held-folder.ts');
const trusted = cutIn('src/base/open-trusted.ts');
const plan = cutIn('src/deliver/file/plan.ts');
const volume = cutIn('src/deliver/file/volume.ts');
const published = cutIn('src/deliver/file/published.ts');
const writer = cutIn('src/lease/item-writer.ts');
const loop = cutIn('src/agent/output/loop.ts');
const publisher = cutIn('src/agent/output/publisher.ts');
const sockets = cutIn('src/deliver/http/socket-folder.ts');
const view = cutIn('src/render/template/view.ts');

const LINKS = 'await makeLinks(disk, folder, links, this.#place); // 4.';
const SWAP =
  'await replaceLink(disk, folder, generationName(generation), DATA_TMP, { name: DATA, place: this.#place }); // 5.';
const RENAME = 'await disk.rename(made, folder.at(name));';
const KEPT = 'if (number === published || kept.includes(number) || number === this.#held) continue;';
const REQUIRED = 'if (output.requireTmpfs && tmpfs !== true) throw';
const leftStages = cutIn('src/deliver/http/left-stages.ts');

export const PUBLISHING: readonly Cut[] = [
  sockets('socket-folder', 'let mode = 0o700;', 'let mode = 0o755;'),
  sockets('socket-folder', 'if (socket.mode & 0o002) mode |= 0o011;', '', { by: 'clients of every socket' }),
  sockets('socket-folder', 'if (!folder.made) return folder;', '', { by: 'never changed' }),
  sockets('socket-folder', 'parents: false }', '}', { by: 'its own directory is missing' }),
  publisher(
    'check',
    "if (why !== undefined) return this.#checks?.wasOvertaken ? { kind: 'overtaken' } : { kind: 'refused', why };",
    '',
  ),
  loop('check', 'Math.min(this.#publishTimer.dueMonoMs(), recheckAtMs)', 'this.#publishTimer.dueMonoMs()', {
    by: 'is tried again by itself',
  }),
  cutIn('src/agent/output/roll-back.ts')(
    'verify',
    "const staged = earlier === undefined ? 'equal' :",
    "const staged = earlier !== undefined ? 'equal' :",
  ),
  sink('held-back', "if (await this.#isHeld(plan, volume, folder)) return 'held';", ''),
  links('inside-dir', 'const made = folder.at(temporary);', 'const made = folder.at(`../${temporary}`);'),
  sink('layout', SWAP, SWAP.replace('generationName(generation)', 'folder.shown(generationName(generation))')),
  cutIn('src/deliver/file/names.ts')('layout', "name.split('/', 1)[0] as string", 'name', { by: 'with slashes' }),
  candidate(
    'one-look-up',
    'await disk.create(at, { bytes, mode,',
    'await disk.create(at, { bytes: bytes.subarray(0, 3), mode,',
    { by: 'keeps bytes' },
  ),
  sink(
    'no-mix',
    SWAP,
    `await removeTree(disk, folder.at(generationName(this.#published ?? 0)), volume.procFd);\n        ${SWAP}`,
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
  cutIn('docs/agent.md')('docs-say-one-file', 'belongs in one file', 'may stand anywhere'),
  sink('equal-bytes', 'return this.#equal(published, plan);', 'void 0;'),
  loop(
    'equal-bytes',
    'const owed = await this.takeUp.progress.owed(justPublished);',
    'const owed = (await this.takeUp.progress.owed(justPublished)) ?? generation;',
    { by: 'reload nothing' },
  ),
  links(
    'killed-anywhere',
    RENAME,
    `await (async () => disk.unlink(folder.at(name)))().catch(() => undefined);\n  ${RENAME}`,
    {
      by: 'each single call',
    },
  ),
  sink('killed-anywhere', `${LINKS}\n        ${SWAP}`, `${SWAP}\n        ${LINKS}`, { by: 'each single call' }),
  cutIn('src/deliver/file/recover.ts')(
    'next-start-cleans',
    'for (const name of [...TEMPORARIES, ...leftByOwners]) {',
    'for (const name of TEMPORARIES.slice(1)) {',
  ),
  cutIn('src/config/sections/outputs/resolve.ts')('files-0400', 'const MODE = 0o400;', 'const MODE = 0o444;'),
  plan('dir-created', 'let mode = 0o700;', 'let mode = 0o755;'),
  volume('dir-created', 'await folder.chmod(mode);', '', { by: 'its dirMode' }),
  volume(
    'dir-never-chmodded',
    'if (!held.made) await disk.access(held.at, constants.W_OK | constants.X_OK);',
    'await setUp(held, output, dir, place);',
  ),
  plan('x-where-r', '? 0o050 : 0o011', '? 0o040 : 0o011'),
  candidate(
    'access-before-the-swap',
    'await disk.create(at, { bytes, mode,',
    'await disk.create(at, { bytes, mode: 0o600,',
    {
      by: 'modes are set',
    },
  ),
  candidate('access-before-the-swap', 'mode, ...owner, sync', 'mode, sync', { by: 'owners are set' }),
  volume('no-symlink-followed-out', 'refuseLink: true,', ''),
  links('no-symlink-followed-out', 'else if (!isOurLink(found.target)) throw', 'else if (found === null) throw', {
    by: 'a name that leads elsewhere',
  }),
  candidate('no-symlink-followed-out', 'volume.procFd ? `/proc/self/fd/${handle.fd}` : path', 'path', {
    by: 'symlink exchanged',
  }),
  candidate('no-symlink-followed-out', 'if ((await disk.readdir(base)).length > 0) throw', "if (base === '') throw", {
    by: 'by exchanging a candidate',
  }),
  directory('no-symlink-followed-out', 'isSameFile(stats, this.#known) &&', '', { by: 'only where root made it' }),
  sink('no-symlink-followed-out', 'if (!isSameFile(folder.stats, stats)) {', 'if (folder === undefined) {', {
    by: 'between stage and commit',
  }),
  held('no-symlink-followed-out', 'if (!isTrusted || (', 'if ((', { by: 'only where root made it' }),
  cutIn('src/deliver/file/remove-tree.ts')(
    'no-symlink-followed-out',
    'const base = procFd ? `/proc/self/fd/${folder.fd}` : path;',
    'const base = path;',
    { by: 'while it is swept' },
  ),
  publisher('tmpfs-warning', 'if (tmpfs === false) {', 'if (tmpfs === null) {'),
  publisher('tmpfs-warning', 'if (tmpfs === false) {', 'if (tmpfs === null) {', { by: 'run warns' }),
  volume('tmpfs-required', REQUIRED, 'if (output.requireTmpfs && tmpfs === null) throw'),
  volume('tmpfs-required', REQUIRED, 'if (output.requireTmpfs && tmpfs === null) throw', { by: 'init refuses' }),
  volume('tmpfs-required', REQUIRED, 'if (output.requireTmpfs && tmpfs === null) throw', { by: 'mounted over' }),
  directory('tmpfs-required', "any more`, { retry: 'backoff' }", "any more`, { retry: 'never' }", {
    by: 'the mount is gone',
  }),
  cutIn('src/agent/run.ts')('tmpfs-required', "code === 'OUTPUT_NOT_TMPFS'", "code === 'INTERNAL'", { by: 'run ends' }),
  writer('deleted-is-kept', "gone ? 'deleted' : why.code", 'why.code'),
  writer(
    'deleted-is-kept',
    "if (entry === undefined || entry.state === 'absent') {\n      const isSame = entry?.why",
    "if (entry?.state !== 'expired') {\n      const isSame = entry?.why",
  ),
  sink(
    'files-go-with-their-configuration',
    'await removeStaleLinks(disk, folder, keep, await disk.entries(folder.at()));',
    '',
  ),
  links('files-go-with-their-configuration', "if (typeof found === 'string' || !isOurLink(found.target)) return;", ''),
  cutIn('src/backend/aws/source/prefix.ts')(
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
  cutIn('src/render/template/outcome.ts')(
    'absent-is-falsy',
    'if (outcome instanceof Missing) return false;',
    'if (outcome instanceof Missing) throw outcome.toFault();',
  ),
  leftStages('left-sockets', 'if (!(await isDeadSocket(at))) return;', 'if (socket.length > 0) return;'),
  leftStages('left-sockets', ' && DEAD.has(await connectTo(at))', '', { by: 'in use' }),
  leftStages('left-sockets', 'if (systemClock.wallMs() - mtimeMs < LEFT_MS) return;', '', { by: 'in use' }),
  cutIn('src/deliver/http/bind.ts')('sockets-0600', 'await chmod(socket.at, mode);', ''),
  cutIn('src/deliver/http/bind.ts')(
    'sockets-0600',
    '      await inFolder((entry) => moveTo(staged, entry, path, place));\n',
    '      await inFolder((entry) => moveTo(staged, entry, path, place));\n    await chmod(path, 0o777);\n    await lstat(path);\n    await chmod(path, where.mode);\n',
    { by: 'whatever the umask' },
  ),
  held('sockets-by-descriptor', 'if (!isTrusted || (', 'if ((', { by: 'is not made behind a symlink' }),
  trusted('no-foreign-links', 'if (!isPrivate(folder.stats)) throw new ForeignLinkError(path);', ''),
  trusted('no-foreign-links', '|| !mayOthersWrite(folder.stats)) return file;', '|| true) return file;', {
    by: 'in a directory of that user',
  }),
];
