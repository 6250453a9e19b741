import { describe, expect, it } from 'vitest';
import { briefly, loadWith, problemsOf } from './config.helpers.ts';

const secrets = { app: { kv: 'secret/app' }, db: { kv: 'secret/db' }, orders: { kv: 'secret/orders' } };
const withFile = (file: object, known: object = secrets) => ({
  secrets: known,
  outputs: { o: { dir: '/run/x', files: { f: file } } },
});
const orders = { orders: secrets.orders };
const PGPASS = { template: 'builtin:pgpass' };

describe('names that with and values give to a template', () => {
  it('stand for what they are given, and fields are put over a secret of the same name', async () => {
    const given = {
      with: { db: 'orders.pg', 'db.password': 'app.a.b', 'app.x': 'orders.y' },
      values: { 'new.n': 1.5 },
    };
    const config = await loadWith(withFile({ content: 'x', ...given }));
    const content = config.outputs.get('o')?.files.get('f')?.content;
    expect(content?.kind === 'content' && [...(content.inputs ?? [])]).toMatchObject([
      [
        'db',
        {
          is: { kind: 'secret', from: ['orders', 'pg'] },
          fields: [['password', { kind: 'secret', from: ['app', 'a.b'] }]],
        },
      ],
      ['app', { is: { from: ['app'] }, fields: [['x', { from: ['orders', 'y'] }]] }],
      ['new', { fields: [['n', { kind: 'value' }]] }],
    ]);
  });

  const wrong: readonly (readonly [what: string, file: object, brief: string])[] = [
    [
      'a secret that is not there',
      { content: 'x', with: { a: 'ordres' } },
      'CONFIG_UNKNOWN_SECRET outputs.o.files.f.with.a',
    ],
    ['a source without a field', { content: 'x', with: { a: 'app.' } }, 'CONFIG_INVALID outputs.o.files.f.with.a'],
    [
      'a name without a field',
      { content: 'x', values: { 'a.': 'b' } },
      'CONFIG_INVALID outputs.o.files.f.values[a key that is not shown]',
    ],
    [
      'a name that is none',
      { content: 'x', with: { '1a': 'app' } },
      'CONFIG_INVALID outputs.o.files.f.with[a key that is not shown]',
    ],
    [
      'one name twice',
      { content: 'x', with: { a: 'app' }, values: { a: 1 } },
      'CONFIG_DUPLICATE outputs.o.files.f.values.a',
    ],
    ['a list as value', { content: 'x', values: { a: ['b'] } }, 'CONFIG_INVALID outputs.o.files.f.values.a'],
    ['beside a format', { format: 'json', from: 'app', with: { a: 'app' } }, 'CONFIG_INVALID outputs.o.files.f.with'],
    ['from beside a template', { ...PGPASS, from: 'app' }, 'CONFIG_INVALID outputs.o.files.f.from'],
    ['a name the builtin has not', { ...PGPASS, with: { bd: 'orders' } }, 'CONFIG_INVALID outputs.o.files.f.with.bd'],
    [
      'a field it has not',
      { ...PGPASS, values: { 'db.hots': 'h' } },
      'CONFIG_INVALID outputs.o.files.f.values["db.hots"]',
    ],
  ];
  it.each(wrong)('%s is a problem', async (_, file, brief) => {
    expect(await briefly(loadWith(withFile(file)))).toEqual([brief]);
  });

  it('a builtin template needs a secret with the name of its input, one that with gives, or all its fields', async () => {
    const problems = (file: object) => problemsOf(loadWith(withFile({ ...PGPASS, ...file }, orders)));
    expect(await problemsOf(loadWith(withFile(PGPASS)))).toEqual([]);
    expect(await problems({ with: { db: 'orders' } })).toEqual([]);
    expect(await problems({ with: { 'db.username': 'orders.u', 'db.password': 'orders.p' } })).toEqual([]);
    expect(await problems({})).toMatchObject([
      {
        code: 'CONFIG_MISSING',
        place: 'outputs.o.files.f.template',
        seen: 'the builtin template needs db, and there is no secret named "db"',
        hint: 'Name the secret: with: { db: SECRET }.',
      },
    ]);
    expect(await problems({ with: { 'db.username': 'orders.u' } })).toMatchObject([
      { seen: 'the builtin template needs db.password' },
    ]);
  });

  it('an unknown builtin template is refused with the nearest name', async () => {
    const [problem] = await problemsOf(loadWith(withFile({ template: 'builtin:pgpas' })));
    expect(problem).toMatchObject({ seen: 'there is no builtin template named "pgpas"; did you mean "pgpass"?' });
  });

  it('values can be references, and a secret that is written literally in them is a warning', async () => {
    const file = (password: string) =>
      withFile({ content: 'x', values: { 'api.password': password, 'api.host': 'h' } });
    const codes = async (password: string) =>
      (await loadWith(file(password), { PW: 'x' })).warnings.map(({ code, place }) => `${code} ${place}`);
    expect(await codes('hunter2')).toEqual(['CONFIG_LITERAL_SECRET outputs.o.files.f.values["api.password"]']);
    expect(await codes('${env:PW}')).toEqual([]);
  });
});
