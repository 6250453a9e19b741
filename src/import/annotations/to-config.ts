import { didYouMean } from '../../base/nearest.ts';
import type { BackendExtras } from '../config/backend.ts';
import type { FiledItem } from '../config/stanza.ts';
import type { HclItem, HclString, HclValue } from '../hcl/tree.ts';
import type { Notes, Place } from '../problem.ts';
import { type KnownAnnotation, knownAnnotation, nearestAnnotation } from './known.ts';
import type { Annotation } from './read-manifest.ts';

/**
 * The configuration that the injector makes of annotations, as the agent would read it. Each part has the place of its
 * annotation.
 */
export function configOfAnnotations(
  annotations: readonly Annotation[],
  notes: Notes,
  by: 'manifest' | 'pod' = 'manifest',
): { readonly items: readonly FiledItem[]; readonly extras: BackendExtras } {
  const all = new Map<string, Annotation>();
  for (const annotation of annotations) all.set(annotation.name, annotation);
  const nearest = nearestAnnotation();
  for (const { name, place } of all.values()) {
    const found = knownAnnotation(name);
    if (found !== undefined) tell(name, found.known, place, notes, by);
    else {
      const seen = `${by === 'pod' ? 'it is unknown' : `${name} is unknown to import`}${didYouMean(nearest(name))}`;
      notes.problem(place, seen, 'See the manual of your injector.');
    }
  }
  const maker = new ItemMaker(all, by);
  const items = [...maker.vault(), ...maker.autoAuth(), ...maker.templates(notes), ...maker.others()];
  const timeout = all.get('client-timeout')?.value;
  return {
    items,
    extras: {
      ...(all.get('agent-revoke-on-shutdown')?.value === 'true' ? { revokeOnExit: true } : {}),
      ...(timeout === undefined ? {} : { timeout }),
    },
  };
}

function tell(name: string, known: KnownAnnotation, place: Place, notes: Notes, by: 'manifest' | 'pod'): void {
  if (known.is === 'no place') notes.remark(place, `${name}: ${known.here}`);
  if (known.is !== 'not there') return;
  const todo = by === 'pod' ? (known.inPod ?? known.here) : known.here;
  const seen = by === 'pod' ? 'it is not there' : `${name} is not there`;
  notes.problem(place, seen, `${todo.charAt(0).toUpperCase()}${todo.slice(1)}.`);
}

const VOLUME = '/vault/secrets';

class ItemMaker {
  readonly #all: ReadonlyMap<string, Annotation>;
  readonly #by: 'manifest' | 'pod';

  constructor(all: ReadonlyMap<string, Annotation>, by: 'manifest' | 'pod') {
    this.#all = all;
    this.#by = by;
  }

  vault(): readonly FiledItem[] {
    const pairs = [
      ['address', 'service'],
      ['namespace', 'namespace'],
      ['ca_cert', 'ca-cert'],
      ['client_cert', 'client-cert'],
      ['client_key', 'client-key'],
      ['tls_server_name', 'tls-server-name'],
      ['tls_skip_verify', 'tls-skip-verify'],
    ] as const;
    const items = pairs.flatMap(([key, name]) => this.#item(key, name));
    return items.length === 0 ? [] : [block('vault', items, this.#start())];
  }

  autoAuth(): readonly FiledItem[] {
    const config = [...this.#all.values()].flatMap(({ name, value, place }) => {
      if (!name.startsWith('auth-config-')) return [];
      return [item(name.slice('auth-config-'.length).replaceAll('-', '_'), text(value, place), place)];
    });
    const method = [
      item('type', text(this.#all.get('auth-type')?.value ?? 'kubernetes', this.#start()), this.#start()),
      ...this.#item('mount_path', 'auth-path'),
      block('config', [...this.#item('role', 'role'), ...config], this.#start()),
    ];
    const token = this.#all.get('agent-inject-token');
    const path = `${this.#all.get('secret-volume-path')?.value ?? VOLUME}/token`;
    const sink =
      token?.value === 'true'
        ? [
            block(
              'sink',
              [block('config', [item('path', text(path, token.place), token.place)], token.place)],
              token.place,
            ),
          ]
        : [];
    return [block('auto_auth', [block('method', method, this.#start()), ...sink], this.#start())];
  }

  templates(notes: Notes): readonly FiledItem[] {
    const names = new Map<string, Annotation>();
    for (const annotation of this.#all.values()) {
      const [, kind, name] = /^agent-inject-(secret|template)-(?!file-)(.+)$/.exec(annotation.name) ?? [];
      if (name !== undefined && (kind === 'secret' || !names.has(name))) names.set(name, annotation);
    }
    return [...names].flatMap(([name, annotation]) => this.#template(name, annotation, notes));
  }

  #template(name: string, { place }: Annotation, notes: Notes): readonly FiledItem[] {
    const path = this.#all.get(`agent-inject-secret-${name}`);
    const own = this.#all.get(`agent-inject-template-${name}`);
    // The file of another container cannot be read here, which was told.
    if (own === undefined && this.#all.has(`agent-inject-template-file-${name}`)) return [];
    const contents = own?.value ?? this.#standard(path, notes);
    const folder = this.#for('secret-volume-path', name)?.value ?? VOLUME;
    const isExact = this.#for('preserve-secret-case', name)?.value === 'true';
    const file = this.#all.get(`agent-inject-file-${name}`)?.value ?? (isExact ? name : name.toLowerCase());
    const items = [
      item('contents', { ...text(contents, own?.place ?? place), ...bodyOf(own) }, own?.place ?? place),
      item('destination', text(`${folder}/${file}`, place), place),
      ...this.#item('perms', `agent-inject-perms-${name}`),
      ...this.#item('command', `agent-inject-command-${name}`),
      ...this.#item('left_delimiter', `agent-template-left-delim-${name}`),
      ...this.#item('right_delimiter', `agent-template-right-delim-${name}`),
    ];
    return [block('template', items, place)];
  }

  /** The template that the injector uses for a secret without one. */
  #standard(path: Annotation | undefined, notes: Notes): string {
    const secret = JSON.stringify(path?.value ?? '');
    if (this.#all.get('agent-inject-default-template')?.value === 'json') {
      return `{{ with secret ${secret} }}{{ .Data | toJSON }}\n{{ end }}`;
    }
    const isVersion2 = /^[^/]+\/data\//.test(path?.value ?? '');
    if (isVersion2 && path !== undefined) {
      const seen = 'the default template writes maps in the notation of Go, which is not kept';
      const todo =
        this.#by === 'pod'
          ? 'Write agent-inject-default-template: json, or a template in agent-inject-template-NAME.'
          : 'Here it is a line "name: value" for each field: change it to what is read.';
      notes.problem(path.place, seen, todo);
    }
    const fields = isVersion2 ? '.Data.data' : '.Data';
    return `{{ with secret ${secret} }}{{ range $k, $v := ${fields} }}{{ $k }}: {{ $v }}\n{{ end }}{{ end }}`;
  }

  others(): readonly FiledItem[] {
    const isCached = this.#all.get('agent-cache-enable');
    const interval = this.#item('static_secret_render_interval', 'template-static-secret-render-interval');
    const items = [...this.#item('log_level', 'log-level'), ...this.#item('log_format', 'log-format')];
    if (interval.length > 0) items.push(block('template_config', interval, this.#start()));
    const quit = this.#all.get('agent-enable-quit');
    const quits =
      quit?.value === 'true'
        ? [block('agent_api', [item('enable_quit', text('true', quit.place), quit.place)], quit.place)]
        : [];
    const place = isCached?.value === 'true' ? isCached.place : quits.length > 0 ? quit?.place : undefined;
    if (place === undefined) return items;
    const port = this.#all.get('agent-cache-listener-port')?.value ?? '8200';
    const use = this.#all.get('agent-cache-use-auto-auth-token')?.value ?? 'true';
    const listener = [
      item('type', text('tcp', place), place),
      item('address', text(`127.0.0.1:${port}`, place), place),
      ...quits,
    ];
    if (isCached?.value !== 'true') {
      return [...items, block('listener', [...listener, item('role', text('metrics_only', place), place)], place)];
    }
    return [
      ...items,
      block('cache', [item('use_auto_auth_token', text(use, place), place)], place),
      block('listener', listener, place),
    ];
  }

  /** Of one file, or of all. */
  #for(name: string, file: string): Annotation | undefined {
    return this.#all.get(`${name}-${file}`) ?? this.#all.get(name);
  }

  #item(key: string, name: string): FiledItem[] {
    const found = this.#all.get(name);
    return found === undefined ? [] : [item(key, text(found.value, found.place), found.place)];
  }

  #start(): Place {
    return [...this.#all.values()][0]?.place ?? { file: '-', line: 1, column: 1 };
  }
}

const bodyOf = (annotation: Annotation | undefined) =>
  annotation?.body === undefined ? {} : { body: annotation.body };

const text = (value: string, { line, column }: Place): HclString => ({ kind: 'string', value, at: { line, column } });

const item = (key: string, value: HclValue, { file, line, column }: Place): FiledItem => ({
  key,
  labels: [],
  value,
  at: { line, column },
  file,
});

const block = (key: string, items: readonly HclItem[], place: Place): FiledItem =>
  item(key, { kind: 'object', items, at: { line: place.line, column: place.column } }, place);
