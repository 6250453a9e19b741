import { type Evaluated, isTruthy } from '../template/outcome.ts';
import type { Helper } from './helper.ts';

/** Named so because `default` is a word of the language. */
export const defaultHelper: Helper = {
  usage: 'default VALUE OTHER',
  does: 'VALUE when it is truthy, as in `if`; else OTHER. VALUE may be missing.',
  example: ['{{default app.region "eu-west-1"}}', 'eu-west-1'],
  choose(args) {
    // Analysis has checked that there are two; OTHER is worked out only when it is needed.
    const [value, other] = args as readonly [() => Evaluated, () => Evaluated];
    const outcome = value();
    return isTruthy(outcome) ? outcome : other();
  },
};
