/** Where in a template something stands: an offset into its text. */
export type Offset = number;

/** A piece of a Go template, by the rules of Go's package text/template/parse. */
export type GoNode = GoText | GoAction | GoIf | GoRange | GoWith | GoTemplateCall | GoLoopWord;

export interface GoText {
  readonly kind: 'text';
  readonly text: string;
}

/** `{{ pipeline }}`, or `{{ $x := pipeline }}`, which writes nothing. */
export interface GoAction {
  readonly kind: 'action';
  readonly pipe: GoPipe;
  readonly offset: Offset;
}

interface GoBranch {
  readonly pipe: GoPipe;
  readonly body: readonly GoNode[];
  readonly otherwise: readonly GoNode[];
  readonly offset: Offset;
}

export interface GoIf extends GoBranch {
  readonly kind: 'if';
}

export interface GoRange extends GoBranch {
  readonly kind: 'range';
}

export interface GoWith extends GoBranch {
  readonly kind: 'with';
}

/** `{{ template "name" pipeline }}`, and `{{ block … }}`, which defines a template as well. */
export interface GoTemplateCall {
  readonly kind: 'template';
  readonly name: string;
  readonly pipe: GoPipe | undefined;
  readonly offset: Offset;
}

export interface GoLoopWord {
  readonly kind: 'break' | 'continue';
  readonly offset: Offset;
}

/** `$x, $y := a | b c`. The value of a command is the last argument of the next one. */
export interface GoPipe {
  readonly declared: readonly string[];
  /** `=` instead of `:=`. */
  readonly isAssignment: boolean;
  readonly commands: readonly GoCommand[];
  readonly offset: Offset;
}

/** A function or a value, and arguments. */
export interface GoCommand {
  readonly words: readonly GoOperand[];
  readonly offset: Offset;
}

export type GoOperand =
  /** `name`, and with names `name.a.b`: fields of what the function gives without arguments. */
  | { readonly kind: 'function'; readonly name: string; readonly names: readonly string[]; readonly offset: Offset }
  | { readonly kind: 'dot' | 'nil'; readonly offset: Offset }
  | { readonly kind: 'field'; readonly names: readonly string[]; readonly offset: Offset }
  /** `$x.a.b`; the name of `$` alone is empty. */
  | { readonly kind: 'variable'; readonly name: string; readonly names: readonly string[]; readonly offset: Offset }
  | { readonly kind: 'string'; readonly value: string; readonly offset: Offset }
  | { readonly kind: 'number'; readonly text: string; readonly offset: Offset }
  | { readonly kind: 'bool'; readonly value: boolean; readonly offset: Offset }
  /** `(pipeline)`, and with names `(pipeline).a.b`. */
  | { readonly kind: 'pipe'; readonly pipe: GoPipe; readonly names: readonly string[]; readonly offset: Offset };

export interface GoTemplate {
  readonly nodes: readonly GoNode[];
  readonly defined: ReadonlyMap<string, readonly GoNode[]>;
}

/** A template that Go would not parse either. The message names what was found, never a part of the text. */
export class GoSyntaxError extends Error {
  readonly offset: Offset;

  constructor(seen: string, offset: Offset) {
    super(seen);
    this.name = 'GoSyntaxError';
    this.offset = offset;
  }
}
