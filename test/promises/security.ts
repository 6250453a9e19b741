import { held, inFile, type Section } from './promise.ts';

const fuzz = inFile('test/fuzz/borders.test.ts', 'inputs that nobody meant');
const box = inFile('test/render/sandbox.test.ts', 'a template');
const longBodies = inFile('test/http/large-bodies.test.ts', 'long bodies over all connections');
const memory = inFile('test/system/hardening.test.ts', 'the memory of the agent');
const options = inFile('test/system/hardening.test.ts', 'options of Node in the environment');
const hostileFiles = inFile('test/config/load.test.ts', 'hostile files');
const yamlFile = inFile('test/backend/file/file.test.ts', 'a YAML file');

export const hostileInput: Section = {
  name: 'Hostile input',
  promises: [
    held(
      'hostile-input',
      'No input over any border ends the agent, hangs it, or brings a value into what is said; every failure has a code, a place and a hint.',
      fuzz('over %s end in no crash, no hang and no value, and every failure says where and what to do'),
    ),
    held(
      'long-bodies-in-turn',
      'One answer of a backend at a time is read beyond 1 MiB, however many connections bring one without an end.',
      inFile(
        'test/http/large-bodies.test.ts',
        'the turns of long bodies',
      )('come one at a time, in order, and an ended wait has none'),
      longBodies('all come, one after the other'),
      longBodies('that have no end are each too large, and leave the turn to the next'),
      longBodies('wait within the time of their request, and delay no body of usual size'),
    ),
    held(
      'hostile-requests',
      'No bytes to a socket of the agent end it, or bring out what the client may not see.',
      inFile(
        'test/system/random-requests.test.ts',
        'bytes that nobody meant',
      )('as %s neither end the agent nor bring out what it hides'),
      inFile(
        'test/deliver/api/fuzz.test.ts',
        '10,000 random requests',
      )('crash nothing, show no hidden secret, and leak no memory'),
    ),
    held(
      'aws-answer-checked',
      'An answer of AWS that is not what it should be is BACKEND_MALFORMED, and names the member that is wrong.',
      inFile('test/backend/aws/client/check-answer.test.ts', 'an answer of AWS')(
        'with %s is BACKEND_MALFORMED, which names it and shows nothing',
        'a list that is a map',
      ),
    ),
    held(
      'json-mistake-told',
      'A configuration in JSON that is none is told with line and column, whatever is wrong.',
      inFile('test/config/positions.test.ts', 'the position of a problem')(
        'is that of the mistake in JSON with %s, of which nothing is shown',
        'a key without quotes',
      ),
    ),
    held(
      'config-bounded',
      'Nesting, aliases and files without an end are refused before they fill the memory.',
      hostileFiles('%s is refused as malformed', 'aliases that multiply'),
      hostileFiles(
        'aliases that make a file too large are told at the one that does, and aliases of a usual sort are not',
      ),
      yamlFile('that multiplies by aliases is refused before it fills the memory'),
      inFile('test/base/bounded-yaml.test.ts', 'a text of YAML')(
        'with thousands of %s is given up at one error more than is told',
        'commas without a value',
      ),
      inFile('test/config/interpolate.test.ts', 'a reference')('to a device is given up'),
    ),
    held(
      'pattern-bounded',
      'A regular expression of a template that takes long for a value is stopped after a second.',
      box('whose pattern takes years for a value ends by itself: %s', 'matches'),
      box('whose pattern takes years for a value ends by itself: %s', 'replacePattern'),
      box('has patterns that take long texts, and gives what they find'),
    ),
    held(
      'template-bounded',
      'A template ends, and its file has 64 MiB at most, whatever the values are.',
      box('that would write without an end is RENDER_TOO_LARGE'),
      box('that would loop without an end, and write nothing, is RENDER_TOO_LARGE'),
      box('whose texts double and double is refused before the memory is full'),
    ),
    held(
      'terminal-ways',
      'Whatever a command shows on a terminal cannot control it; a pipe gets the exact bytes.',
      inFile(
        'test/cli/terminal-ways.test.ts',
        'every way to a terminal',
      )('goes through the few files that clean what they write'),
      inFile(
        'test/cli/terminal-ways.test.ts',
        'every way to a terminal',
      )('shows no control character of a failure, which stays on its line'),
      inFile(
        'test/system/terminal-escapes.test.ts',
        'a terminal is not controlled',
      )('by values, names of fields, and paths, in get, status, render, doctor and the log'),
      inFile(
        'test/system/terminal-escapes.test.ts',
        'a terminal is not controlled',
      )('by a backend that refuses, and by JSON in the log'),
    ),
    held(
      'no-core-dumps',
      'A core dump of the agent holds nothing of its memory; one of its child is as it would be without the agent.',
      memory('is in no core dump of it'),
      memory('is its own affair: a child has the core dumps that it would have without the agent'),
    ),
    held(
      'node-options',
      'Options of NODE_OPTIONS that load code, open the inspector or write memory do not apply to the agent, and its child gets them.',
      inFile('test/cli/start-over.test.ts', 'what is left of NODE_OPTIONS')('of %j is %j', '--require ./a.js'),
      options('that load code, open the inspector or write memory do not apply to the agent, and its child gets them'),
      options('that do neither stay as they are, and the agent starts once'),
    ),
    held(
      'made-private',
      'Everything that the agent makes is private from the first moment, whatever the umask is.',
      inFile('test/system/hardening.test.ts', 'everything that the agent makes')('is private under any umask'),
    ),
    held(
      'sbom',
      'The bill of materials names every library in the bundle, with its version, licence and hash, and no other.',
      inFile(
        'test/ship/sbom.test.ts',
        'the bill of materials',
      )('names exactly what is bundled, with version, licence and hash'),
    ),
  ],
};
