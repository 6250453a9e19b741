import type { HclValue } from '../hcl/tree.ts';

/** What a key may be given. A number or a boolean counts as its text, as in the agents. */
export type Expected = 'text' | 'texts' | 'boolean' | 'duration' | 'block';

const WORDS: Readonly<Record<Expected, string>> = {
  text: 'a text',
  texts: 'a list of texts',
  boolean: 'true or false',
  duration: 'a duration',
  block: 'a block',
};

const KINDS: Readonly<Record<HclValue['kind'], string>> = {
  string: 'a text',
  number: 'a number',
  bool: 'true or false',
  null: 'null',
  list: 'a list',
  object: 'a block',
};

/** Texts that Go takes for a boolean. */
const BOOLEAN = /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False|)$/;

/** What is wrong with a value, without a part of it; undefined when it is one of what is expected. */
export function fits(value: HclValue, expected: readonly Expected[]): string | undefined {
  if (value.kind === 'null' || expected.some((one) => isOne(value, one))) return undefined;
  const isOdd = value.kind === 'string' && expected.every((one) => one === 'boolean');
  const seen = isOdd ? 'another text' : KINDS[value.kind];
  return `is ${seen}, where ${expected.map((one) => WORDS[one]).join(' or ')} is expected`;
}

function isOne(value: HclValue, expected: Expected): boolean {
  const isPlain = value.kind === 'string' || value.kind === 'number' || value.kind === 'bool';
  switch (expected) {
    case 'text':
    case 'duration':
      return isPlain;
    case 'boolean':
      return isPlain && BOOLEAN.test(value.kind === 'number' ? value.text : String(value.value));
    case 'texts':
      return isPlain || (value.kind === 'list' && value.items.every((one) => isOne(one, 'text')));
    case 'block':
      return value.kind === 'object' || (value.kind === 'list' && value.items.every((one) => isOne(one, 'block')));
  }
}
