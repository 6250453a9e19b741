import { type Cut, cutIn } from './cut.ts';

const coreDumps = cutIn('src/process/core-dumps.ts');
const largeBodies = cutIn('src/http/large-bodies.ts');
const evaluate = cutIn('src/render/template/evaluate.ts');
const startOver = cutIn('src/cli/start-over.ts');

export const SECURITY: readonly Cut[] = [
  cutIn('src/config/problems/json-marks.ts')(
    'hostile-input',
    'if (key === undefined) break;',
    "if (key === undefined) throw new Error('cut');",
  ),
  largeBodies('long-bodies-in-turn', 'if (this.#turn !== undefined) return;', '', { by: 'one at a time' }),
  cutIn('src/http/exchange.ts')('long-bodies-in-turn', 'endTurn?.();', '', { by: 'one after the other' }),
  cutIn('src/deliver/api/visible.ts')('hostile-requests', 'return this.#names.has(name);', "return name !== '';", {
    by: 'show no hidden secret',
    slow: true,
  }),
  cutIn('src/backend/aws/client/check-answer.ts')(
    'aws-answer-checked',
    'if (!fits(value, kind)) {',
    'if (kind === name) {',
  ),
  cutIn('src/config/problems/json-marks.ts')(
    'json-mistake-told',
    '  } catch {\n    return undefined;',
    '  } catch (error) {\n    throw error;',
  ),
  // Values are counted once more where references are filled, so without this the file is refused there, but late.
  cutIn('src/config/load/parse-yaml.ts')(
    'config-bounded',
    'if (this.#byAliases > this.#maxByAliases) this',
    'if (this.#byAliases < 0) this',
    {
      by: 'told at the one that does',
    },
  ),
  cutIn('src/base/bounded-yaml.ts')('config-bounded', 'if (errors > MAX_ERRORS) throw', 'if (errors < 0) throw', {
    by: 'commas without a value',
  }),
  cutIn('src/render/helpers/search.ts')(
    'pattern-bounded',
    "if (found === undefined) throw new BadArgument('got a text for which its pattern takes too long');",
    'if (found === undefined) return false as T;',
  ),
  evaluate('template-bounded', 'if (this.#length > MAX_LENGTH) throw', 'if (this.#length < 0) throw'),
  evaluate(
    'template-bounded',
    "throw new RenderFault('RENDER_TOO_LARGE', seen,",
    "throw new RenderFault('RENDER_KEY', seen,",
    { by: 'loop without an end' },
  ),
  cutIn('src/base/errors.ts')(
    'terminal-ways',
    'return printable(`${prefix}${place}: ${seen} (${code}). ${hint}`);',
    'return `${prefix}${place}: ${seen} (${code}). ${hint}`;',
    {
      by: 'failure, which stays',
    },
  ),
  cutIn('src/cli/print.ts')(
    'terminal-ways',
    'return write(process.stdout.isTTY ? printableLines(asText(text)) : text);',
    'return write(text);',
    { by: 'by values', slow: true },
  ),
  coreDumps('no-core-dumps', "writeSync(fd, '0');", '', { slow: true }),
  coreDumps('no-core-dumps', 'writeSync(fd, `0x${inherited}`);', '', { by: 'its own affair', slow: true }),
  startOver(
    'node-options',
    "const plain = name.startsWith('--') ?",
    "const plain = name.startsWith('--require') ? '--no' : name.startsWith('--') ?",
  ),
  startOver(
    'node-options',
    'return dropped === 0 ? options : kept.join',
    'return kept.length < 0 ? options : kept.join',
    { by: 'do neither', slow: true },
  ),
  cutIn('src/deliver/http/bind.ts')('made-private', 'await chmod(socket.at, mode);', '', { slow: true }),
  cutIn('scripts/sbom.ts')(
    'sbom',
    '.filter(({ bytesInOutput }) => bytesInOutput > 0)',
    '.filter(({ bytesInOutput }) => bytesInOutput > 1e5)',
  ),
];
