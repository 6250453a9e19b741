import { Secret } from '../../base/secret.ts';
import { isTruthy } from '../template/outcome.ts';
import type { Helper } from './helper.ts';

export const and: Helper = {
  usage: 'and VALUE…',
  does: 'Whether all values are truthy, as in `if`. A value may be missing; those after the first that decides are not looked at.',
  example: ['{{#if (and app.name app.motd)}}both{{else}}not both{{/if}}', 'not both'],
  choose: (args) => Secret.boolean(args.every((value) => isTruthy(value()))),
};

export const or: Helper = {
  usage: 'or VALUE…',
  does: 'Whether any of the values is truthy, as in `if`. A value may be missing.',
  example: ['{{#if (or app.motd app.name)}}one of them{{/if}}', 'one of them'],
  choose: (args) => Secret.boolean(args.some((value) => isTruthy(value()))),
};

export const not: Helper = {
  usage: 'not VALUE',
  does: 'Whether the value is falsy, as in `unless`. It may be missing.',
  example: ['{{#if (not app.debug)}}quiet{{/if}}', 'quiet'],
  choose: (args) => Secret.boolean(!args.some((value) => isTruthy(value()))),
};
