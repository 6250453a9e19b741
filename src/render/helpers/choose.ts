import { type Evaluated, isTruthy } from '../template/outcome.ts';
import type { Helper } from './helper.ts';

export const choose: Helper = {
  usage: 'choose CONDITION THEN OTHER',
  does: 'THEN when CONDITION is truthy, as in `if`; otherwise OTHER. CONDITION may be missing, and only the chosen value is looked at.',
  example: ['{{choose app.debug "debug" "info"}}', 'info'],
  choose(args) {
    // Analysis has checked that there are three arguments.
    const [condition, then, other] = args as readonly [() => Evaluated, () => Evaluated, () => Evaluated];
    return isTruthy(condition()) ? then() : other();
  },
};
