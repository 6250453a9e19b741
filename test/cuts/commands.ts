import { type Cut, cutIn } from './cut.ts';

const lines = cutIn('src/backend/vault/agent-lines.ts');

export const COMMANDS: readonly Cut[] = [
  cutIn('src/cli/status/watch/line.ts')('watch-terminal-safe', 'cut(printable(text), left)', 'cut(text, left)'),
  cutIn('src/observe/page/shown.ts')(
    'attention-first',
    "state === 'settled' && isUneasy ? 'owed' : state",
    "'settled'",
  ),
  cutIn('src/cli/status/watch/looks.ts')(
    'attention-first',
    'RANKS.indexOf(lookOf(a)) - RANKS.indexOf(lookOf(b))',
    '0',
    {
      by: 'cuts no output or login',
    },
  ),
  cutIn('src/cli/status/watch/view.ts')(
    'silent-is-not-well',
    'view.silent === undefined ? verdictOf(status) : notKnown(status)',
    'verdictOf(status)',
    { by: 'gives no verdict' },
  ),
  cutIn('src/cli/status/watch/screen.ts')('watch-gives-back', 'this.#terminal.write(LEAVE);', '', { slow: true }),
  cutIn('src/backend/vault/doctor/check-server.ts')(
    'doctor-names-the-cause',
    'if (skewMs > MAX_SKEW_MS) throw',
    'if (skewMs < 0) throw',
    { by: 'a clock that is wrong', slow: true },
  ),
  cutIn('src/backend/vault/doctor/examine.ts')(
    'doctor-changes-nothing',
    'if (method.borrowsToken !== true) await endLogin(',
    'if (method.borrowsToken === true) await endLogin(',
    { slow: true },
  ),
  cutIn('src/cli/doctor/check-rendering.ts')(
    'doctor-says-what-init-says',
    "else examination.refuse('rendering', placed);",
    'else rendered++;',
    { by: 'a misspelt field', slow: true },
  ),
  lines('policy-is-enough', 'const renewsLeases = [...requests]', 'const renewsLeases = ([] as VaultRequest[])', {
    slow: true,
  }),
  lines(
    'policy-is-least',
    "path: 'auth/token/renew-self', capabilities: ['update']",
    "path: 'auth/token/*', capabilities: ['update']",
    { slow: true },
  ),
];
