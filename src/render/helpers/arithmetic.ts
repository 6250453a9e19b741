import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { BadArgument, type Helper, takeText } from './helper.ts';

export const add = arithmetic('add', {
  does: 'The sum of two numbers. Texts that are numbers count as numbers, and whole numbers of any length are exact; so in the four below.',
  example: ['{{add app.port 1}}', '8081'],
  whole: (a, b) => a + b,
  other: (a, b) => a + b,
});

export const subtract = arithmetic('subtract', {
  does: 'ONE less OTHER.',
  example: ['{{subtract app.port 80}}', '8000'],
  whole: (a, b) => a - b,
  other: (a, b) => a - b,
});

export const multiply = arithmetic('multiply', {
  does: 'The product of two numbers.',
  example: ['{{multiply app.port 2}}', '16160'],
  whole: (a, b) => a * b,
  other: (a, b) => a * b,
});

export const divide = arithmetic('divide', {
  does: 'ONE divided by OTHER; of two whole numbers the whole part.',
  example: ['{{divide app.port 1000}}', '8'],
  whole: (a, b) => a / notZero(b),
  other: (a, b) => a / notZero(b),
});

export const modulo = arithmetic('modulo', {
  does: 'What is left when ONE is divided by OTHER, with the sign of ONE.',
  example: ['{{modulo app.port 1000}}', '80'],
  whole: (a, b) => a % notZero(b),
  other: (a, b) => a % notZero(b),
});

interface Arithmetic {
  readonly does: string;
  readonly example: Helper['example'];
  readonly whole: (a: bigint, b: bigint) => bigint;
  readonly other: (a: number, b: number) => number;
}

function arithmetic(name: string, { does, example, whole, other }: Arithmetic): Helper {
  return {
    usage: `${name} ONE OTHER`,
    does,
    example,
    apply([one, two]) {
      const [a, b] = [takeNumber(one), takeNumber(two)];
      if (WHOLE.test(a) && WHOLE.test(b)) return Secret.number(String(whole(BigInt(a), BigInt(b))));
      const made = other(Number(a), Number(b));
      if (!Number.isFinite(made)) throw new BadArgument('takes numbers whose result is not beyond all numbers');
      return Secret.number(String(made));
    },
  };
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const WHOLE = /^-?\d+$/;
/** Longer ones would keep the processor busy. */
const MAX_DIGITS = 1000;

function takeNumber(value: Value | undefined): string {
  const text = takeText(value);
  if (text.length > MAX_DIGITS || !NUMBER.test(text)) throw new BadArgument('takes two numbers');
  return text;
}

function notZero<N extends bigint | number>(divisor: N): N {
  if (Number(divisor) === 0) throw new BadArgument('takes a number that is not zero as OTHER');
  return divisor;
}
