import type { Words } from './words.ts';

/** Outputs and their files. */
export const outputsWords: Words = {
  'outputs.NAME.dir': {
    type: 'path',
    default: 'required',
    does: 'where the files appear; made when missing, best on tmpfs',
    examples: ['/run/secrets/shop'],
  },
  'outputs.NAME.mode': { type: 'mode', default: '`"0400"`', does: 'mode of the files', examples: ['0440'] },
  'outputs.NAME.dirMode': {
    type: 'mode',
    default: '`"0700"`',
    does: 'mode of `dir` when it is made',
    examples: ['0750'],
  },
  'outputs.NAME.uid': { type: 'number', default: "the agent's", does: 'owner of the files', examples: [1000] },
  'outputs.NAME.gid': { type: 'number', default: "the agent's", does: 'group of the files', examples: [2000] },
  'outputs.NAME.drift': {
    type: '`restore`, `report`',
    default: '`restore`',
    does: 'what `run` and `exec` do when another process has changed the published files: see [docs/agent.md](agent.md#files-that-others-change)',
  },
  'outputs.NAME.requireTmpfs': {
    type: 'boolean',
    default: '`false`',
    does: 'refuse to publish when `dir` is not on tmpfs; checked before each publish',
  },
  'outputs.NAME.quiet': {
    type: 'duration',
    default: '`10ms`',
    does: 'publish when no secret of this output is being fetched and this time has passed',
    examples: ['100ms'],
  },
  'outputs.NAME.maxWait': {
    type: 'duration',
    default: '`1s`, or `quiet` when that is longer',
    does: 'publish after this time at the latest',
    examples: ['5s'],
  },
  'outputs.NAME.keep': {
    type: 'number',
    default: '`1`',
    does: 'how many earlier generations stay for [rollback](agent.md#check-verify-and-rollback), up to 20; each takes as much space as the files',
    examples: [3],
  },
  'outputs.NAME.files': {
    type: 'map',
    default: 'required',
    does: 'by file name, relative to `dir`; no part begins with `..`',
    examples: [{ 'app.env': { format: 'dotenv', from: 'app' } }],
  },
  'outputs.NAME.files.NAME.template': {
    type: 'path',
    does: 'a template file, or `builtin:NAME` for one of the [ready-made](templates.md#ready-made-templates)',
    examples: ['./app.conf.hbs', 'builtin:aws-credentials'],
  },
  'outputs.NAME.files.NAME.content': {
    type: 'text',
    does: 'a template, inline; `${…}` means nothing here',
    examples: ['password = {{app.password}}\n'],
  },
  'outputs.NAME.files.NAME.with': {
    type: 'map',
    default: '`{}`',
    does: "with `template` and `content`: [names of the template's own](templates.md#names-of-a-templates-own), `NAME` or `NAME.FIELD`, for a `SECRET` or `SECRET.FIELD`",
    examples: [{ cloud: 'sts' }],
  },
  'outputs.NAME.files.NAME.values': {
    type: 'map',
    default: '`{}`',
    does: 'the same for texts, numbers and booleans that are not secret',
    examples: [{ region: 'eu-west-1' }],
  },
  'outputs.NAME.files.NAME.format': {
    type: '`dotenv`, `json`, `properties`, `raw`, `yaml`, `pem`, `der`, `pkcs12`, `truststore`',
    does: 'a [format](templates.md#formats) made of whole secrets, or of [certificates](keystores.md)',
    examples: ['dotenv'],
  },
  'outputs.NAME.files.NAME.from': {
    type: 'name, or list of names',
    default: 'required with `format`',
    does: '`SECRET` or `SECRET.FIELD`; `raw` takes exactly one',
    examples: ['app', ['app', 'db.password']],
  },
  'outputs.NAME.files.NAME.rename': {
    type: 'map',
    default: '`{}`',
    does: 'new names of keys, by `FIELD` or `SOURCE.FIELD`; `dotenv`, `properties`, flat `json` and `yaml`',
    examples: [{ user: 'DB_USER', 'db.password': 'DB_PASSWORD' }],
  },
  'outputs.NAME.files.NAME.case': {
    type: '`upper`, `lower`',
    default: 'as they are',
    does: 'letters of the keys, after `rename`; for the same formats',
    examples: ['upper'],
  },
  'outputs.NAME.files.NAME.prefix': {
    type: 'text',
    default: '`""`',
    does: 'put before each key, after `case`; for the same formats',
    examples: ['SHOP_'],
  },
  'outputs.NAME.files.NAME.keys': {
    type: '`identifier`',
    default: 'as they are',
    does: 'what no identifier has becomes `_`, in the whole key; for the same formats',
    examples: ['identifier'],
  },
  'outputs.NAME.files.NAME.for': {
    type: '`sh`, `docker`, `node`, `python`, `systemd`, `kubelet`',
    default: 'all of them',
    does: '`dotenv`: the one program that [reads the file](templates.md#dotenv)',
    examples: ['docker'],
  },
  'outputs.NAME.files.NAME.flat': {
    type: 'boolean',
    default: '`false`',
    does: '`json`, `yaml`: the fields of all sources in one map, instead of a map for each secret',
  },
  'outputs.NAME.files.NAME.parts': {
    type: '`key`, `leaf`, `intermediates`, `root`, `ca`, `fullchain`, or a list',
    default: '`fullchain`; `der`: `leaf`; `truststore`: `ca`',
    does: '`pem`, `der`, `pkcs12`, `truststore`: [what is in the file](keystores.md#parts), in this order',
    examples: ['key', ['key', 'fullchain']],
  },
  'outputs.NAME.files.NAME.keyFormat': {
    type: '`pkcs8`, `pkcs1`, `sec1`',
    default: '`pkcs8`',
    does: '`pem`, `der`: how the key is written; `pkcs1` is for RSA, `sec1` for EC',
    examples: ['pkcs1'],
  },
  'outputs.NAME.files.NAME.password': {
    type: 'name',
    default: 'required with `pkcs12` and `truststore`',
    does: '`SECRET.FIELD` with the password of the keystore, or of the key in `pem` and `der`',
    examples: ['store.password'],
  },
  'outputs.NAME.files.NAME.alias': {
    type: 'text',
    default: '`"1"`',
    does: '`pkcs12`: the name of the key in the keystore',
    examples: ['shop'],
  },
  'outputs.NAME.files.NAME.mode': {
    type: 'mode',
    default: "the output's",
    does: 'mode of this file',
    examples: ['0400'],
  },
  'outputs.NAME.files.NAME.uid': {
    type: 'number',
    default: "the output's",
    does: 'owner of this file',
    examples: [1000],
  },
  'outputs.NAME.files.NAME.gid': {
    type: 'number',
    default: "the output's",
    does: 'group of this file',
    examples: [2000],
  },
};
