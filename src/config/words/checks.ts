import { reloadWords } from './reload.ts';
import type { Words } from './words.ts';

const STEP = 'outputs.NAME.reload[]';

/** The words of a step's key, below another key: what is run or asked there has the same keys. */
function stepWords(step: 'http' | 'command', to: string, own: Words = {}): Words {
  const from = `${STEP}.${step}`;
  const shared = Object.entries(reloadWords).filter(([key]) => key === from || key.startsWith(`${from}.`));
  return { ...Object.fromEntries(shared.map(([key, words]) => [to + key.slice(from.length), words])), ...own };
}

/** What looks at a candidate, and what asks the application after a reload. */
export const checksWords: Words = {
  'outputs.NAME.check': {
    type: 'map',
    does: 'looks at a candidate before it is published; failing, the published generation stays: see [docs/agent.md](agent.md#check-verify-and-rollback)',
    examples: [{ command: { argv: ['nginx', '-t', '-c', '{dir}/nginx.conf'] } }],
  },
  ...stepWords('command', 'outputs.NAME.check.command', {
    'outputs.NAME.check.command.timeout': {
      type: 'duration',
      default: '`10s`',
      does: 'ended after this, and when newer values come',
    },
    'outputs.NAME.check.command.argv': {
      type: 'list of texts',
      default: 'required',
      does: 'the program and its arguments; `{dir}` in an argument is the directory of the candidate; exit status 0 means good',
      examples: [['nginx', '-t', '-c', '{dir}/nginx.conf']],
    },
  }),
  'outputs.NAME.verify': {
    type: 'map',
    does: 'asks the application after each reload, or after each publication when there is no `reload` since it reads the files itself, by `http` or `command`; failing, the generation before is published again and reloaded',
    examples: [{ http: { url: 'http://127.0.0.1:8080/healthz' }, within: '10s' }],
  },
  'outputs.NAME.verify.within': {
    type: 'duration',
    default: '`10s`',
    does: 'how long it is asked again and again until it answers well',
    examples: ['30s'],
  },
  ...stepWords('http', 'outputs.NAME.verify.http', {
    'outputs.NAME.verify.http.method': {
      type: '`GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`',
      default: '`GET`',
      does: 'the method of the request',
    },
  }),
  ...stepWords('command', 'outputs.NAME.verify.command'),
};
