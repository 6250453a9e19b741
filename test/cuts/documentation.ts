import { type Cut, cutIn } from './cut.ts';

const start = cutIn('docs/getting-started.md');

export const DOCUMENTATION: readonly Cut[] = [
  start('pages-work', 'tail -n 3 pannier.log', 'tail -n 2 pannier.log', { by: 'show what', slow: true }),
  cutIn('docs/how-to/systemd.md')('pages-work', '<!-- not run: needs systemd as process 1 -->', '', { by: 'says why' }),
  start('pages-leave-nothing', ' -dev-no-store-token >', ' >'),
  cutIn('docs/how-to/policies.md')(
    'policies-are-least',
    'path "kv1/shop/app" { capabilities = ["read"] }',
    'path "kv1/shop/app" { capabilities = ["read"] }\npath "kv1/shop/other" { capabilities = ["read"] }',
  ),
];
