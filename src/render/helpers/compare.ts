import { Secret } from '../../base/secret.ts';
import { isSecret, type Value } from '../../base/value.ts';
import { BadArgument, type Helper, takeText } from './helper.ts';

export const eq: Helper = {
  usage: 'eq ONE OTHER',
  does: 'Whether two texts, numbers or booleans are the same. A number is the same as its text; `null` is the same as `null` only.',
  example: ['{{#if (eq app.port 8080)}}the usual port{{/if}}', 'the usual port'],
  apply: ([one, other]) => Secret.boolean(isSame(one, other)),
};

export const ne: Helper = {
  usage: 'ne ONE OTHER',
  does: 'Whether two texts, numbers or booleans differ.',
  example: ['{{#if (ne app.name "test")}}not a test{{/if}}', 'not a test'],
  apply: ([one, other]) => Secret.boolean(!isSame(one, other)),
};

export const lt: Helper = {
  usage: 'lt ONE OTHER',
  does: 'Whether the number ONE is less than OTHER. Texts that are numbers count as numbers.',
  example: ['{{#if (lt app.port 1024)}}low{{else}}high{{/if}}', 'high'],
  apply: ([one, other]) => Secret.boolean(order(one, other) < 0),
};

export const gt: Helper = {
  usage: 'gt ONE OTHER',
  does: 'Whether the number ONE is greater than OTHER. Texts that are numbers count as numbers.',
  example: ['{{#if (gt app.port 1024)}}high{{/if}}', 'high'],
  apply: ([one, other]) => Secret.boolean(order(one, other) > 0),
};

export const le: Helper = {
  usage: 'le ONE OTHER',
  does: 'Whether the number ONE is at most OTHER.',
  example: ['{{#if (le app.port 8080)}}usual or lower{{/if}}', 'usual or lower'],
  apply: ([one, other]) => Secret.boolean(order(one, other) <= 0),
};

export const ge: Helper = {
  usage: 'ge ONE OTHER',
  does: 'Whether the number ONE is at least OTHER.',
  example: ['{{#if (ge app.port 8080)}}usual or higher{{/if}}', 'usual or higher'],
  apply: ([one, other]) => Secret.boolean(order(one, other) >= 0),
};

function isSame(one: Value | undefined, other: Value | undefined): boolean {
  const isNull = (value: Value | undefined) => isSecret(value) && value.type === 'null';
  if (isNull(one) || isNull(other)) return isNull(one) && isNull(other);
  const [a, b] = [takeText(one), takeText(other)];
  if (a === b) return true;
  // 1.10 and 1.1 are one number, and two texts.
  const isNumber = (value: Value | undefined) => isSecret(value) && value.type === 'number';
  return isNumber(one) && isNumber(other) && order(one, other) === 0;
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const WHOLE = /^-?\d+$/;

/** Negative, zero or positive. Whole numbers of any length are compared exactly. */
function order(one: Value | undefined, other: Value | undefined): number {
  const [a, b] = [takeText(one), takeText(other)];
  if (!NUMBER.test(a) || !NUMBER.test(b)) throw new BadArgument('takes two numbers');
  const [x, y] = WHOLE.test(a) && WHOLE.test(b) ? [BigInt(a), BigInt(b)] : [Number(a), Number(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}
