import { Secret } from '../../base/secret.ts';
import { writeYaml } from '../text/yaml.ts';
import { type Helper, takeValue } from './helper.ts';

export const yaml: Helper = {
  usage: 'yaml VALUE',
  does: 'Any value as YAML, as format yaml writes it, without a line end after it. The helper `indent` indents it.',
  example: ['{{yaml app.ports}}', 'http: 8080\nadmin: 9090'],
  apply: ([value]) => Secret.text(writeYaml(takeValue(value))),
};
