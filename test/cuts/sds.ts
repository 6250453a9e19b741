import { type Cut, cutIn } from './cut.ts';

const hub = cutIn('src/deliver/sds/hub.ts');
const sotw = cutIn('src/deliver/sds/sotw-stream.ts');
const delta = cutIn('src/deliver/sds/delta-stream.ts');
const onDemand = cutIn('src/deliver/sds/on-demand.ts');
const body = cutIn('src/deliver/sds/body-of.ts');
const listener = cutIn('src/deliver/sds/listener.ts');

export const SDS: readonly Cut[] = [
  hub('sds-rotation', 'for (const [stream, names] of byStream) stream.changed(names);', '', { slow: true }),
  body('sds-pair', 'if (!belongs(privateKey, parsed)) {', 'if (privateKey === leaf.base64) {'),
  hub('sds-kept', 'good: before?.good, why: undefined', 'good: undefined, why: undefined'),
  hub('sds-kept', "if (made?.good !== undefined) return { state: 'ready', ...made.good };", ''),
  delta('sds-versions', 'isFirst ? versions.get(name) : undefined', 'undefined'),
  sotw('sds-versions', 'if (isFirst && versionInfo !==', 'if (!isFirst && versionInfo !==', {
    by: 'only what it has not',
  }),
  cutIn('src/deliver/sds/version.ts')(
    'sds-versions-tell-nothing',
    "return createHmac('sha256', key).update(body.secret)",
    "return createHash('sha256').update(body.secret)",
    { by: 'only this process' },
  ),
  delta('sds-missing', "else if (found.state === 'missing' && held !== MISSING) {", "else if (held === 'nothing') {"),
  hub('sds-refused', 'const text = refusalText(message, bodies);', 'const text = message;'),
  hub('sds-new-configuration', 'for (const stream of [...this.#streams]) stream.changed();', ''),
  cutIn('src/deliver/sds/names.ts')('sds-on-demand', 'const name = asked.toLowerCase();', 'const name = asked;'),
  cutIn('src/deliver/sds/names.ts')('sds-on-demand', "'[a-z0-9_-]+'", "'[a-z0-9_.-]+'", { by: 'does not fit' }),
  cutIn('src/config/load.ts')('sds-on-demand', ", ...(isTree(sds) ? [sds['onDemand']] : [])", '', {
    by: 'no secret is a certificate',
  }),
  onDemand('sds-on-demand-bounded', 'if (this.#names.size >= max && !madeRoom) {', 'if (max < 0) {'),
  onDemand('sds-on-demand-bounded', '> this.#deps.clock.monoMs()) return;', '> Number.POSITIVE_INFINITY) return;', {
    by: 'for a while',
  }),
  listener('sds-bounded', 'if (this.#streams.size >= this.#settings.maxStreams) {', 'if (this.#streams.size < 0) {'),
  sotw('sds-bounded', ' || this.#last?.isOpen === true', '', { by: 'never acknowledges' }),
  cutIn('src/deliver/sds/poll.ts')('sds-bounded', 'this.#slowClients.watch(socket)', '{} as Reading', {
    by: 'does not end',
  }),
  listener('sds-socket', 'await this.#bind({ where, place });', ''),
  cutIn('src/deliver/sds/body-of.ts')(
    'sds-never-held',
    "if (value !== undefined) return { kind: 'generic', secret: bytesOf(value) };",
    "if (value !== undefined) return { kind: 'generic', secret: Buffer.from('token-1') };",
    { slow: true },
  ),
  cutIn('src/deliver/sds/load-grpc.ts')(
    'sds-log',
    'grpc.setLogger({ error: silent, info: silent, debug: silent });',
    '',
    { slow: true },
  ),
];
