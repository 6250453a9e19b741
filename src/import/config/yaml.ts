/** A value of the configuration that is written. A map keeps its order; undefined fields are left out. */
export type YamlValue = string | number | boolean | readonly YamlValue[] | YamlMap;

export class YamlMap {
  readonly entries: { readonly key: string; readonly value: YamlValue; readonly comments: readonly string[] }[] = [];
  /** Written on one line, in braces. */
  readonly isInline: boolean;

  constructor(isInline = false) {
    this.isInline = isInline;
  }

  /** Adds an entry, with comments on the lines before it. An undefined value adds nothing. */
  set(key: string, value: YamlValue | undefined, ...comments: readonly string[]): this {
    if (value !== undefined) this.entries.push({ key, value, comments });
    return this;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }
}

/** A map of plain data, written on one line. */
export function inline(data: Readonly<Record<string, unknown>>): YamlMap {
  const map = new YamlMap(true);
  for (const [key, value] of Object.entries(data)) {
    if (value === undefined) continue;
    const isObject =
      typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof YamlMap);
    map.set(key, isObject ? inline(value as Record<string, unknown>) : (value as YamlValue));
  }
  return map;
}

/** Writes a map as YAML 1.2, two spaces a level. */
export function writeYaml(map: YamlMap, margin = ''): string {
  let text = '';
  for (const { key, value, comments } of map.entries) {
    for (const comment of comments) text += comment === '' ? '\n' : `${margin}# ${printable(comment)}\n`;
    text += `${margin}${scalar(key)}:${valueText(value, margin)}`;
  }
  return text;
}

function valueText(value: YamlValue, margin: string): string {
  const inner = `${margin}  `;
  if (value instanceof YamlMap) {
    if (value.isEmpty) return ' {}\n';
    return value.isInline ? ` ${flow(value)}\n` : `\n${writeYaml(value, inner)}`;
  }
  if (typeof value === 'object') {
    if (value.length === 0) return ' []\n';
    if (value.every((item) => typeof item !== 'object' || (item instanceof YamlMap && item.isInline))) {
      return value.some((item) => typeof item === 'object')
        ? `\n${value.map((item) => `${inner}- ${flow(item)}\n`).join('')}`
        : ` ${flow(value)}\n`;
    }
    return `\n${value.map((item) => `${inner}-${valueText(item, inner)}`).join('')}`;
  }
  return typeof value === 'string' && isBlockText(value) ? ` |${blockText(value, inner)}` : ` ${scalar(value)}\n`;
}

function flow(value: YamlValue): string {
  if (value instanceof YamlMap) {
    if (value.isEmpty) return '{}';
    return `{ ${value.entries.map(({ key, value: one }) => `${scalar(key)}: ${flow(one)}`).join(', ')} }`;
  }
  return typeof value === 'object' ? `[${value.map(flow).join(', ')}]` : scalar(value);
}

/** A text of several lines that YAML gives back as it is when it is written line by line. */
function isBlockText(text: string): boolean {
  // White space at the beginning, a line end other than \n or what is not printable would come back otherwise.
  return /\n[\s\S]/.test(text) && PRINTABLE.test(text) && !/^\s/.test(text);
}

const PRINTABLE = /^[\n\t\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/;

function blockText(text: string, margin: string): string {
  const ends = /\n*$/.exec(text)?.[0].length ?? 0;
  const chomping = ends === 0 ? '-' : ends === 1 ? '' : '+';
  const lines = (ends === 0 ? text : text.slice(0, -1)).split('\n');
  return `${chomping}\n${lines.map((line) => (line === '' ? '\n' : `${margin}${line}\n`)).join('')}`;
}

const PLAIN = /^[A-Za-z_./][A-Za-z0-9_./-]*(?:[:=][A-Za-z0-9_./-]+)*$/;
/** Texts that some version of YAML takes for something else. */
const WORDS = /^(?:true|false|null|yes|no|on|off|y|n|~|\.inf|\.nan|\.|\.\.|-+)$/i;

function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  if (/^(?:\d{1,9}(?:ms|s|m|h|d))+$/.test(value)) return value;
  return PLAIN.test(value) && !WORDS.test(value) && !/^\.?\d/.test(value) ? value : JSON.stringify(value);
}

/** A comment is one line. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]+/g, ' ');
