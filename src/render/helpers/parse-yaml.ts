import type { Value } from '../../base/value.ts';
import { sortedFields } from '../text/sorted-fields.ts';
import { BadArgument, type Helper, isOn, takeText } from './helper.ts';

/** Parses a document; undefined until a template that calls the helper has been read. */
let parse: ((text: string) => Value | undefined) | undefined;

export const parseYaml: Helper = {
  usage: 'parseYaml TEXT',
  options: ['sorted'],
  does: 'The same for a YAML 1.2 text of one document. A number that JSON cannot write in the same way, such as `012`, stays a text.',
  example: ['{{#each (parseYaml "[1.10, no]")}}{{this}};{{/each}}', '1.10;no;'],
  async load() {
    const { loadYaml } = await import('../../base/yaml.ts');
    parse = await loadYaml();
  },
  apply([text], options) {
    const given = takeText(text);
    if (parse === undefined) throw new TypeError('load() comes first');
    let value: Value | undefined;
    try {
      value = parse(given);
    } catch (error) {
      // Only the parser's own error is known to quote nothing of the text.
      const what = (error as Error).name === 'YamlError' ? (error as Error).message : 'it cannot be parsed';
      throw new BadArgument(`takes YAML, and this is none: ${what}`);
    }
    if (value === undefined) throw new BadArgument('takes YAML, and this is empty');
    return isOn(options.get('sorted')) ? sortedFields(value) : value;
  },
};
