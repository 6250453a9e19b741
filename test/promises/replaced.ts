import { held, inFile, type Section } from './promise.ts';

const lease = inFile('test/lease/replaced.test.ts', 'a lease that was replaced');
const certificate = inFile('test/lease/replaced.test.ts', 'a certificate that was replaced');
const issued = inFile('test/backend/vault/source/certificate.test.ts', 'a certificate in use');
const user = inFile('test/system/make-before-break.test.ts', 'a database user that is replaced');
const used = inFile('test/agent/output/used-values.test.ts', 'the values that an application may use');
const end = inFile('test/system/exec-exit.test.ts', 'the end of exec with revokeOnExit');
const session = inFile('test/backend/vault/auth/session-login.test.ts', 'the end of a session');
const generations = inFile('test/deliver/file/file-sink.test.ts', 'the generation before');
const check = inFile('test/agent/output/held.test.ts', 'a check of candidates');
const rollback = inFile('test/system/rollback.test.ts', 'an output whose application is asked after each reload');

export const replaced: Section = {
  name: 'The next credential, and the last one',
  promises: [
    held(
      'make-before-break',
      'With `revokeOld` an old lease is revoked when no output uses it any more: the next one is published, reloaded and verified.',
      lease('is revoked after the grace, which begins when no output uses it any more'),
      user('is dropped when the application works with the next one, and not before'),
      used('are those of the generation that it took up last, and of the published one'),
    ),
    held(
      'revoke-old',
      'For certificates `revokeOld` does the same.',
      certificate('is revoked by the same rule: after the grace that begins when it is not used any more'),
      issued('is revoked alone when it is to end'),
    ),
    held(
      'held-lease-lives',
      'An output that is held back or rolled back keeps the lease of its credential alive, as far as the backend lets it.',
      lease('is renewed for as long as an output uses it, and not longer'),
      user('lives on past its own end while the output is rolled back to it, and is dropped after the mend'),
      user('lives on while the candidate with the next one fails its check, also without revokeOld'),
      used('are the old ones again after a rollback'),
    ),
    held(
      'held-lease-told',
      'That a lease in use is about to end and cannot be renewed is told.',
      lease('is told of before it ends in use, where it cannot be renewed'),
    ),
    held(
      'revoke-old-back',
      'A lease that an output goes back to within the grace is not revoked.',
      lease('is not revoked when an output goes back to it within the grace'),
    ),
    held(
      'revoke-old-shared',
      'A lease that another secret has too is never revoked.',
      lease('is never revoked while another secret has the same lease'),
    ),
    held(
      'revoke-old-environment',
      'What the environment of a process was made of is not revoked while nobody can change it.',
      used('are all that it ever had, for a process whose environment nobody can change'),
    ),
    held(
      'revoke-old-outage',
      'A revocation that an outage prevents is tried again; without `revokeOld` nothing is revoked.',
      lease('is revoked again after an outage, and told of once'),
      lease('is left to end without revokeOld'),
    ),
    held(
      'exec-revokes',
      'With `revokeOnExit` the token and the leases are refused when exec ends, however its child has ended.',
      end('revokes token and database user of a child %s, before it ends itself'),
    ),
    held(
      'exec-revokes-batch',
      'Leases under a batch token, which cannot be revoked, are revoked one by one.',
      end('revokes the lease by itself where the login cannot be revoked'),
    ),
    held(
      'exec-revokes-bounded',
      'A server that is silent at the end changes no exit status, and is told; a second SIGTERM waits for it no longer.',
      end('keeps the status of the child when the server is silent, and says that nothing was revoked'),
      end('waits for a silent server no longer when a second SIGTERM comes'),
    ),
    held(
      'exit-revokes-replaced',
      'With `revokeOnExit` the logins that were replaced are revoked too.',
      session('revokes the logins that were replaced too: leases under them may be in use'),
    ),
    held(
      'check-overtaken',
      'A check that hangs delays no newer values, and values that change faster than they are checked are published.',
      check('that hangs delays no newer values: it is ended when they come'),
      check('is not ended twice in a row, so that values which change faster than they are checked are published'),
    ),
    held(
      'keep-generations',
      'With `keep` an output has as many earlier generations, and any of them can be published again.',
      generations('stays with as many as the output keeps, and any of them can be read again'),
      rollback('goes back to any generation that it keeps, and lists those'),
    ),
  ],
};
