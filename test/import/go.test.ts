import { describe, expect, it } from 'vitest';
import { lexGo } from '../../src/import/go/lexer.ts';
import { GoSyntaxError } from '../../src/import/go/nodes.ts';
import { parseGo } from '../../src/import/go/parser.ts';

const texts = (template: string): string[] =>
  lexGo(template).flatMap((token) => (token.kind === 'text' ? [token.text] : []));

describe('the parser of Go templates', () => {
  it('takes white space off beside the markers, and nowhere else', () => {
    expect(texts('a \n{{- .x -}}\n b')).toEqual(['a', 'b']);
    expect(texts('a \n{{ .x }}\n b')).toEqual(['a \n', '\n b']);
    expect(texts('a {{-1}} b')).toEqual(['a ', ' b']);
    expect(texts('a\u00a0{{- .x }}')).toEqual(['a\u00a0']);
  });

  it('leaves comments out, with their markers', () => {
    expect(texts('a {{/* c */}} b')).toEqual(['a ', ' b']);
    expect(texts('a {{- /* c }} */ -}} b')).toEqual(['a', 'b']);
  });

  it('reads pipelines, variables, fields and parentheses', () => {
    const [node] = parseGo('{{ $x := (.a.b | f "c" `d`).e | g 1 true $y.z }}').nodes;
    expect(node).toMatchObject({
      kind: 'action',
      pipe: {
        declared: ['x'],
        isAssignment: false,
        commands: [
          {
            words: [
              { kind: 'pipe', names: ['e'], pipe: { commands: [{}, { words: [{}, { value: 'c' }, { value: 'd' }] }] } },
            ],
          },
          { words: [{ name: 'g' }, { text: '1' }, { value: true }, { name: 'y', names: ['z'] }] },
        ],
      },
    });
  });

  it('reads blocks with else, else if and else with', () => {
    const { nodes } = parseGo(
      '{{ if .a }}1{{ else if .b }}2{{ else }}3{{ end }}{{ with .c }}4{{ else with .d }}5{{ end }}',
    );
    expect(nodes).toMatchObject([
      {
        kind: 'if',
        body: [{ text: '1' }],
        otherwise: [{ kind: 'if', body: [{ text: '2' }], otherwise: [{ text: '3' }] }],
      },
      { kind: 'with', body: [{ text: '4' }], otherwise: [{ kind: 'with', body: [{ text: '5' }] }] },
    ]);
  });

  it('reads range with two variables, define, template and block', () => {
    const { nodes, defined } = parseGo(
      '{{ define "d" }}x{{ end }}{{ range $k, $v := .a }}{{ break }}{{ end }}{{ template "d" . }}{{ block "e" .f }}y{{ end }}',
    );
    expect(nodes).toMatchObject([
      { kind: 'range', pipe: { declared: ['k', 'v'] }, body: [{ kind: 'break' }] },
      { kind: 'template', name: 'd' },
      { kind: 'template', name: 'e' },
    ]);
    expect([...defined.keys()]).toEqual(['d', 'e']);
  });

  it('takes other delimiters', () => {
    expect(parseGo('{{ x }}[[ .a ]]', '[[', ']]').nodes).toMatchObject([{ text: '{{ x }}' }, { kind: 'action' }]);
  });

  it.each([
    ['{{ if .a }}b', '{{ if }} has no {{ end }}', 0],
    ['{{ .a', '{{ has no }}', 0],
    ['{{ end }}', '{{ end }} stands outside of a block', 3],
    ['{{ }}', 'a value or a function is expected', 3],
    ['{{ "a }}', 'a text has no closing quote, or a wrong escape', 3],
    ['{{ `a }}', 'a text in backticks has no end', 3],
    ["{{ 'ab' }}", 'single quotes hold one character: a text has double quotes', 3],
    ['{{ (f . }}', 'a parenthesis is not closed', 8],
    ['{{ f ) }}', 'a parenthesis is closed that was not opened', 5],
    ['{{ .a | }}', 'a value or a function is expected', 8],
    ['{{ "a""b" }}', 'a space is expected between two arguments', 6],
    ['{{/* a }}', 'a comment has no */', 0],
    ['{{/* a */ x }}', 'a comment does not end right before }}', 0],
    ['{{ define "a" }}', 'a template is defined that has no {{ end }}', 0],
    ['{{ template x }}', 'a name in quotes is expected after template', 12],
    ['{{ break }}', '{{ break }} stands outside of range', 0],
    ['{{ if .a }}{{ else }}{{ else }}{{ end }}', 'a second {{ else }} stands in a block', 24],
    ['{{ ; }}', 'a character cannot stand between the braces', 3],
  ])('says of %j what is wrong, and where', (template, message, offset) => {
    expect(() => parseGo(template)).toThrow(expect.objectContaining({ message, offset }));
  });

  it.each([
    ['blocks', '{{ if .a }}'.repeat(10_000)],
    ['parentheses', `{{ ${'('.repeat(10_000)} }}`],
    ['templates', '{{ define "a" }}'.repeat(10_000)],
  ])('refuses %s nested without end', (_what, template) => {
    expect(() => parseGo(template)).toThrow(GoSyntaxError);
  });
});
