/**
 * Why engines of Vault and OpenBao reject a request (400). Their texts quote what was sent, so a text is recognised by
 * a pattern and replaced by words that hold none of the values. `$1` is the name of a parameter, which comes from the
 * engine's own schema.
 */
const REASONS: readonly (readonly [pattern: RegExp, shown: string])[] = [
  // Any engine: the parameters of a request are checked against the schema of its path first.
  [
    /^(?:field validation failed: )?error converting input for field "([a-z0-9_]{1,40})": time: /,
    '$1 is not a duration',
  ],
  [/^(?:field validation failed: )?error converting input for field "([a-z0-9_]{1,40})": /, '$1 does not fit'],
  [/\btime: (?:invalid duration|unknown unit|missing unit)/, 'invalid duration'],
  [/^(?:field validation failed: )?error converting input\b/, 'a parameter does not fit'],
  [/^parsing time "/, 'a time is not in RFC 3339'],
  [/^failed to (?:decode|parse) json input/, 'the body is not JSON'],
  [/^missing data fields/, 'missing data fields'],
  [/^no data provided/, 'no data provided'],
  [/^no path provided/, 'no path provided'],
  [/^paths must be supplied/, 'paths must be supplied'],
  [/^check-and-set parameter did not match/, 'check-and-set parameter did not match the current version'],
  [/^check-and-set parameter required/, 'check-and-set parameter required'],

  // pki
  [/^the common_name field is required/, 'the common_name field is required'],
  [/^common name .* not allowed by this role/s, 'the common name is not allowed by this role'],
  [/^subject alternate name .* not allowed by this role/s, 'an alternative name is not allowed by this role'],
  [/^email address .* not allowed by this role/s, 'an email address is not allowed by this role'],
  [/^user_id .* is not allowed by this role/s, 'a user_id is not allowed by this role'],
  [/ is not a valid ip address$/, 'not a valid IP address'],
  [/^ip subject alternative names? .*not allowed/s, 'IP addresses are not allowed by this role'],
  [/^ip address .* not allowed by this role/s, 'an IP address is not allowed by this role'],
  [/^uri subject alternative names? .*not allowed/s, 'the URIs are not allowed by this role'],
  [/^could not parse requested other san/, 'other_sans cannot be parsed'],
  [/^other san .* not allowed by this role/s, 'an other_sans is not allowed by this role'],
  [
    /^role key type "any" not allowed for issuing/,
    'the key_type of the role is any, which issues only with a key_type',
  ],
  [/^"csr" is empty/, 'csr is empty'],
  [/^csr contains no data/, 'csr contains no data'],
  [/^certificate request could not be parsed/, 'csr cannot be parsed'],
  [/^cannot satisfy request, as ttl would result in notafter/, 'ttl goes beyond the expiration of the CA certificate'],
  [/unable to find pki issuer|could not fetch the ca certificate/, 'failed to find issuer'],
  [/^the "?format"? path parameter must be/, 'format must be pem, der or pem_bundle'],

  // transit
  [/^missing plaintext to encrypt/, 'missing plaintext to encrypt'],
  [/^missing ciphertext to decrypt/, 'missing ciphertext to decrypt'],
  [/^missing 'context' for key derivation/, 'missing context for key derivation'],
  [/^unable to decode input as base64|^illegal base64 data|^failed to base64-decode /, 'a parameter is not base64'],
  [/^invalid ciphertext: no prefix/, 'invalid ciphertext: no prefix'],
  [/^invalid ciphertext: version is too new/, 'invalid ciphertext: version is too new'],
  [/version is too old|disallowed by policy \(too old\)/, 'the version of the key is too old for its policy'],
  [/^invalid ciphertext/, 'invalid ciphertext'],
  [/^cipher: message authentication failed/, 'cipher: message authentication failed'],
  [/^invalid signature/, 'invalid signature'],
  [/^neither a 'signature' nor an 'hmac' were given/, 'signature or hmac is missing'],
  [/^requested version for \w+ is higher than the latest key version/, 'key_version is higher than the latest'],
  [/^requested version for \w+ is less than the minimum/, 'key_version is less than the minimum'],
  [/^encryption key not found/, 'encryption key not found'],
  [/^signing key not found/, 'signing key not found'],
  [
    /^(?:message )?\w+ not supported for key type|^key type \S{1,40} does not support/,
    'the type of the key does not do this',
  ],
  [/^unsupported (?:hash )?algorithm/, 'unsupported algorithm'],
  [/^invalid bit length/, 'invalid bit length'],
  [/^invalid path, must be 'plaintext' or 'wrapped'/, 'the path must have plaintext or wrapped'],

  // ssh
  [/^missing public_key/, 'missing public_key'],
  [/^failed to parse public_key as ssh key/, 'public_key cannot be parsed'],
  [/ is not a valid value for valid_principals/, 'a principal is not allowed by this role'],
  [/^empty valid principals not allowed by role/, 'valid_principals is empty'],
  [/^cert_type '.*' is not allowed by role/s, 'cert_type is not allowed by this role'],
  [/^no default username registered/, 'missing username'],

  // totp, database, token, lease
  [/^unknown key: /, 'unknown key'],
  [/ is not an allowed role/, 'the role is not allowed by the database connection'],
  [/^token not found/, 'token not found'],
  [/^\w{1,40} must be positive/, 'a duration must be positive'],
  [/^'bytes' cannot be less than/, 'bytes is too small'],
];

/** The reason that the texts of an answer give, in words that may be shown; undefined when none is known. */
export function rejectionReason(texts: readonly string[]): string | undefined {
  for (const text of texts) {
    // Some engines join errors to a list, each after a bullet.
    const lines = [text, ...text.split('\n').map((line) => line.replace(/^\s*\* /, ''))];
    for (const [pattern, shown] of REASONS) {
      const found = lines.map((line) => pattern.exec(line)).find((match) => match !== null);
      if (found !== undefined) return shown.replace('$1', found?.[1] ?? '');
    }
  }
  return undefined;
}
