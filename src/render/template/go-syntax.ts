import type { Position } from './position.ts';

/**
 * Recognises Go's template language in the text between braces, whose strings are already emptied. The first shape that
 * matches gives the hint: what to write here instead.
 */
const SHAPES: readonly (readonly [shape: RegExp, instead: string])[] = [
  [/^\/\*/, 'A comment is {{!-- … --}}.'],
  [/^(?:env|mustEnv)\b/, 'Write values: { x: "${env:X}" } beside the template, and {{x}}.'],
  [/^file\b/, 'Write values: { x: "${file:/path}" } beside the template, and {{x}}.'],
  [
    /^-?\s*(?:if|range|with|else|end|define|template|block)\b/,
    'Blocks are {{#if …}}, {{#each …}}, {{#with …}}, {{else}}, {{/if}}.',
  ],
  [/\$\w*|:=/, 'There are no variables: {{#with … as |x|}}{{x}}{{/with}} names a value.'],
  [/(?<! as |\|[^|]*)\|/, 'There are no pipelines: write {{upper app.name}}, and inner calls in parentheses.'],
  [/^-\s|\s-$/, 'White space is taken off by {{~ … ~}}.'],
  [/(?:^|[\s(])\.\w/, 'A path begins with the name of a secret, without a dot before it: {{app.key}}.'],
  [
    /^(?:len|index|timestamp)\b/,
    'There is no such helper: len is size, index is app.[a-b] or lookup, and timestamp does not exist.',
  ],
  [
    /^(?:printf|print|toUpper|toLower|trimSpace|trimPrefix|trimSuffix|replaceAll|toJSON|toYAML|parseJSON|parseInt|base64Encode|base64Decode|sha256Hex|sha1Hex|md5sum)\b/,
    'Helpers have other names here.',
  ],
];

/** The hint for a field `Data`, which answers of Vault have and the fields of a secret here do not. */
export const DATA_FIELD_HINT = hintOf('Leave .Data and .Data.data out: the fields are right below the name.');

/**
 * Gives a hint when the text between the braces around a position looks like Go's template language. The lines of the
 * template are looked for once, since it may have many positions that are wrong.
 */
export function goHintsIn(source: string): (at: Position) => string | undefined {
  let read: { readonly text: string; readonly starts: readonly number[] } | undefined;
  return (at) => {
    read ??= linesOf(source);
    const { text, starts } = read;
    const start = text.lastIndexOf('{{', (starts[at.line - 1] ?? text.length) + at.column);
    if (start === -1) return undefined;
    const end = text.indexOf('}}', start);
    const tag = text.slice(start + 2, end === -1 ? undefined : end).slice(0, MAX_TAG);
    const inside = tag.replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, '""');
    const found = SHAPES.find(([shape]) => shape.test(inside.trim()));
    return found === undefined ? undefined : hintOf(found[1]);
  };
}

/** What is read of the text between two braces. */
const MAX_TAG = 1000;

function linesOf(source: string): { readonly text: string; readonly starts: readonly number[] } {
  const lines = source.split(/\r\n?|\n/);
  const starts: number[] = [];
  let start = 0;
  for (const { length } of lines) {
    starts.push(start);
    start += length + 1;
  }
  return { text: lines.join('\n'), starts };
}

function hintOf(instead: string): string {
  return `This is Go template syntax. ${instead} pannier import converts templates: see docs/migrating-from-vault-agent.md.`;
}
