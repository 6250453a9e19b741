import { held, inFile, type Section } from './promise.ts';

const fits = inFile('test/certificate/check.test.ts', 'a set that fits together');
const unfit = inFile('test/certificate/check.test.ts', 'a set that does not fit together');
const stored = inFile('test/lease/stored-certificate.test.ts', 'a certificate that a backend stores');
const onTheWire = inFile('test/backend/vault/source/vault.test.ts', 'a certificate');
const real = inFile('test/backend/vault/source/certificate.test.ts', 'a certificate of a real OpenBao');
const inUse = inFile('test/backend/vault/source/certificate.test.ts', 'a certificate in use');
const kept = inFile('test/lease/kept.test.ts', 'a value that an earlier process kept');
const keptFile = inFile('test/deliver/file/kept.test.ts', 'what an output keeps');
const restarts = inFile('test/system/certificates.test.ts', 'a published certificate');
const published = inFile('test/system/certificates.test.ts', 'a certificate that does not fit together');
const renewal = inFile('test/lease/certificate-renewal.test.ts', 'a certificate');
const hours = inFile('test/lease/certificate-renewal.test.ts', 'the hours of renewAt');
const config = inFile('test/config/certificate.test.ts', 'a certificate in the configuration');

const acme = inFile('test/backend/acme/openbao.test.ts', 'a certificate by ACME of a real OpenBao');
const account = inFile('test/backend/acme/openbao.test.ts', 'the account of ACME');
const ordered = inFile('test/backend/acme/openbao.test.ts', 'what was ordered and is not published');
const unwritten = inFile('test/backend/acme/order-book.test.ts', 'the folder of orders that cannot be written');
const book = inFile('test/backend/acme/order-book.test.ts', 'the folder of orders');
const noIssue = inFile('test/backend/acme/openbao.test.ts', 'an ACME server that does not issue');
const provable = inFile('test/config/acme.test.ts', 'a backend of kind acme in the configuration');
const port = inFile('test/backend/acme/http01.test.ts', 'the port of http-01');
const orders = inFile('test/backend/pacing.test.ts', '%s that fail');
const unfitOnes = inFile(
  'test/backend/vault/source/unfit-certificates.test.ts',
  'certificates of a mount that are unfit',
);
const info = inFile('test/backend/acme/renewal-info.test.ts', 'the renewal information of an issuer');
const byAcme = inFile('test/system/acme.test.ts', 'a certificate by ACME, from order to file');
const wanted = inFile(
  'test/lease/schedule.test.ts',
  'the moment at which an issuer wants its certificate to be replaced',
);
const ownPair = inFile('test/http/tls.test.ts', 'a client certificate');
const ownLogin = inFile('test/system/own-certificate.test.ts', 'a login with the pair that Pannier publishes itself');
const underLoad = inFile(
  'test/system/reload-under-load.test.ts',
  'a certificate that changes under constant new connections',
);

export const certificates: Section = {
  name: 'Certificates',
  promises: [
    held(
      'certificate-key',
      'A certificate is published only with the key that belongs to it.',
      unfit('by the key of another certificate is refused'),
      onTheWire('whose key belongs to another is refused'),
    ),
    held(
      'certificate-ca',
      'A certificate of an unknown CA, or one whose chain lacks a level, is refused.',
      unfit('by a CA that is not the configured one is refused'),
      unfit('by a missing level of its chain is refused'),
      real('of another CA than the configured one is refused'),
    ),
    held(
      'certificate-names',
      'A certificate that lacks a name that was asked for is refused, and the names are told.',
      unfit('by each name that is missing is refused, and the names are told'),
    ),
    held(
      'certificate-now',
      'A certificate that has ended, or begins later than clocks may differ, is refused.',
      fits('is taken up to the skew of the clocks before it begins, and to the last moment before it ends'),
    ),
    held(
      'certificate-chain-order',
      'The chain of a certificate is in order, in whatever order it came.',
      fits('is taken whatever the order of its chain, which is put in order'),
      real('of an intermediate has its chain in order, up to a root that is configured'),
    ),
    held(
      'certificate-last-good',
      'A set that does not fit together is not published: the last good one stays, stale with the reason.',
      stored('that does not fit together is not taken: the last good one stays, stale with the reason'),
      published('is never published: the last good one stays, and its secret is stale with the reason'),
    ),
    held(
      'unfit-pace',
      'A mount that issues unfit certificates is asked ever more rarely, up to an hour apart, until somebody mends it.',
      unfitOnes('are issued ever more rarely: the %s waits before ten of them'),
      unfitOnes('say why, when the next one is issued, and how a person has it issued at once'),
      unfitOnes('are issued at once when a person asks or the request is another one'),
      unfitOnes('leave a certificate in use its last tries, ever closer to its end'),
      unfitOnes('are not what a refusal is, which issues nothing and is tried again at its usual pace'),
      real('that is unfit is issued again in its time, and at once when a person asks or the CA file is mended'),
    ),
    held(
      'local-key',
      'A key that is made here is never sent; the signing request holds every name.',
      onTheWire('for a local key sends a signing request with its names, and never the key'),
      real('for a local key (role %s, %o) has all names, and the key is never sent'),
    ),
    held(
      'refusal-in-words',
      'A role that refuses a certificate is told in the words of the server, which name what is wrong.',
      real('that the role does not allow is refused in the words of the server, which name what is wrong'),
      onTheWire('that is refused is told in the words of the server, without what may be a secret: %s'),
    ),
    held(
      'short-life-told',
      'A certificate whose life the server cuts is used, with a warning.',
      real('whose life the server cuts is good, with a warning'),
    ),
    held(
      'renew-before',
      '`renewBefore` counts from the end, but replaces no certificate in the first third of its life.',
      renewal('is replaced as long before its end as configured, with jitter'),
      renewal('is never replaced in the first third of its life, although renewBefore is %s'),
    ),
    held(
      'renew-at',
      '`renewAt` waits for its hours, unless nine tenths of the life would be over before.',
      hours('are the first ones after two thirds of the life, and a fleet spreads over them'),
      hours('are overruled by the end, at nine tenths of the life'),
      renewal('waits for its hours after a failure too, but not when its end comes'),
    ),
    held(
      'replace-revoked',
      'A certificate that the server has revoked is replaced at once.',
      inUse('that the server revokes is to be replaced at once'),
    ),
    held(
      'replace-ca-changed',
      'When the CA of the mount has changed a certificate is replaced at once, and only once.',
      inUse('is to be replaced once when the CA of %s has changed'),
    ),
    held(
      'kept-over-restarts',
      'A published certificate is kept over restarts: nothing is issued, written or reloaded.',
      kept('is taken up without a fetch, and replaced when that process would have replaced it'),
      restarts('is kept over thirty restarts: nothing is issued, written or reloaded'),
    ),
    held(
      'kept-for-its-request',
      'A certificate is kept only for the request that made it; its upkeep is no part of that.',
      config('is the same secret with another upkeep, and another one with other names'),
      real('that was kept is taken up again only while it is what is asked for'),
      restarts('is issued anew at a restart that asks for other names, and only once'),
    ),
    held(
      'kept-key-is-published',
      'An output keeps no private key that it does not publish, and trusts none that is not published.',
      keptFile('is nothing where %s is published'),
      keptFile('counts only while the key is in the published files'),
      keptFile('in a file that %s does not count'),
      keptFile('may be a key that is written in another form, which counts while all files are the same'),
    ),
    held(
      'stored-certificate',
      'A certificate that a backend stores has the fields of an issued one, and ends as it says.',
      stored('has the fields of an issued one, with its chain in order, and is read at refresh until it ends'),
    ),
    held(
      'rotation-under-load',
      'A server that is reloaded serves each new certificate, and no handshake fails meanwhile.',
      underLoad('reaches a TLS server of Node without a failed handshake'),
      underLoad('reaches a real nginx without a failed handshake (needs nginx)'),
      underLoad('reaches PostgreSQL, whose key must be private, without a failed handshake'),
    ),
    held(
      'own-pair',
      'A login by certificate begins with the bootstrap pair, and needs it no more once there is a pair of its own.',
      ownPair('is the bootstrap pair while there is none of its own, or only one that has ended'),
      ownLogin('begins with a bootstrap pair, follows its own through rotations, and needs the first one no more'),
    ),
    held(
      'acme-kept',
      'A restart orders no certificate of ACME, and sends nothing.',
      acme('is taken up again after a restart without one request, and only while it is what is asked for'),
      byAcme('is published with its key, and six restarts order nothing, write nothing and reload nothing'),
    ),
    held(
      'acme-ordered-once',
      'A certificate of ACME that is not published yet is taken up by the next start, and not ordered again.',
      byAcme('that is not published yet is taken up by the next starts, and not ordered again'),
      ordered('is kept for the same account and request alone, and taken up without one request'),
      ordered('counts for nothing in a file that was changed, that belongs to another request, or that is a folder'),
    ),
    held(
      'acme-orders-told',
      'When what ACME has ordered cannot be kept for the next start, a warning says so, once until it can.',
      unwritten('is told once until a write succeeds again'),
    ),
    held(
      'acme-orders-forgotten',
      'A kept certificate of ACME is removed a month after its end and no earlier, and no file of others is.',
      book('forgets a certificate a month after its end, however long its life is, and a failure after a month'),
      book('has only files of its own removed, also behind a symlink, and what a kill has left half written'),
    ),
    held(
      'acme-account-key',
      'The key of an ACME account is made when its file is missing, with a warning, and never replaced.',
      account('has a key that is made when the file is missing, told of once, private and used again'),
      account('is never replaced when its file %s'),
    ),
    held(
      'acme-port',
      'The port of http-01 is open only while a proof is shown, and gives out nothing else.',
      port('is open while a proof is shown, gives out that proof, and nothing else'),
    ),
    held(
      'acme-port-open',
      'Clients of the port of http-01 that send nothing, or half a request, keep no issuer out.',
      port('answers the issuer beside 300 clients that %s'),
    ),
    held(
      'acme-records',
      'A DNS record that was set for a proof is removed again, also when the order fails or the agent stops.',
      acme('has its DNS records set one after the other by a program without arguments, and removed again'),
      noIssue('says when the program of the DNS records fails, and has it clean up'),
      noIssue('is left alone soon after the agent stops, and the record is removed'),
    ),
    held(
      'acme-provable',
      'A name that no configured way can prove to an ACME server is a problem of the configuration, each in its place.',
      provable('with %s has each name refused that cannot be proved', 'wildcards without dns01'),
      provable('with %s has each name refused that cannot be proved', 'addresses without http01'),
      provable('has no names refused for a backend that is of another kind or has problems of its own'),
    ),
    held(
      'acme-words',
      'An order of ACME that is refused is told in the words of the issuer.',
      noIssue('is told of with its own words: a name that the role refuses'),
      noIssue('is told of with its own words: a proof that it does not find'),
    ),
    held(
      'acme-pace',
      'No failure becomes a storm of orders, also over restarts: up to an hour apart, and as far as the issuer asks for.',
      orders('are a minute or two apart at first and an hour in the end, and one by one'),
      orders('are as far apart as the issuer asks for, a day at most'),
      noIssue('is not asked again while it wants to be left alone, however long that is'),
      noIssue('is left alone after more than two failures although the agent starts again and again'),
    ),
    held(
      'acme-renewal-information',
      'A certificate is replaced when its issuer says (ARI), at once when that moment has come.',
      wanted('%s', 'has come: it is replaced at once'),
      wanted('does not count where the configuration says when, unless it has come'),
      info('gives a moment within the window, the same one for the same window'),
      info('is asked for once there is a certificate, within a refresh, and then as often as the issuer says'),
    ),
  ],
};
