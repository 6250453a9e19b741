import { type Evaluated, isTruthy } from '../template/outcome.ts';
import type { Helper } from './helper.ts';

/** The helper `default`, whose own name is a reserved word in TypeScript. */
export const defaultHelper: Helper = {
  usage: 'default VALUE OTHER',
  does: 'VALUE when it is truthy, as in `if`; otherwise OTHER. VALUE may be missing.',
  example: ['{{default app.region "eu-west-1"}}', 'eu-west-1'],
  choose(args) {
    // Analysis has checked that there are two arguments. OTHER is evaluated only when it is needed.
    const [value, other] = args as readonly [() => Evaluated, () => Evaluated];
    const outcome = value();
    return isTruthy(outcome) ? outcome : other();
  },
};
