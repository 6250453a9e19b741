import type { Words } from '../../../config/words/words.ts';

/** Keys of backends of kind `aws-secrets-manager`. */
export const awsWords: Words = {
  'backends.NAME.region': {
    type: 'text',
    default: '`AWS_REGION`, then `AWS_DEFAULT_REGION`, then the shared config file',
    does: 'kind `aws-secrets-manager`: the region',
    examples: ['eu-west-1'],
  },
  'backends.NAME.failoverRegions': {
    type: 'list of texts',
    default: '`[]`',
    does: 'regions with replicas, asked in this order when the ones before cannot be reached or answer 5xx',
    examples: [['eu-central-1']],
  },
  'backends.NAME.endpoint': {
    type: 'text',
    default: "`AWS_ENDPOINT_URL`, else AWS's own",
    does: '`http://…` or `https://…` for all services; `{region}` stands for the region that is asked',
    examples: ['https://vpce-1234.{region}.vpce.amazonaws.com'],
  },
  'backends.NAME.endpoints': {
    type: 'map',
    does: 'the same for single services, before `endpoint`',
    examples: [{ ssm: 'https://ssm.internal' }],
  },
  'backends.NAME.endpoints.secretsManager': {
    type: 'text',
    default: '`AWS_ENDPOINT_URL_SECRETS_MANAGER`',
    does: 'Secrets Manager',
    examples: ['https://secretsmanager.internal'],
  },
  'backends.NAME.endpoints.ssm': {
    type: 'text',
    default: '`AWS_ENDPOINT_URL_SSM`',
    does: 'Parameter Store',
    examples: ['https://ssm.internal'],
  },
  'backends.NAME.endpoints.sts': {
    type: 'text',
    default: '`AWS_ENDPOINT_URL_STS`',
    does: 'where roles are assumed',
    examples: ['https://sts.eu-west-1.amazonaws.com'],
  },
  'backends.NAME.profile': {
    type: 'text',
    default: '`AWS_PROFILE`, then `default`',
    does: 'profile of the shared files; named, no other credentials are looked for',
    examples: ['shop'],
  },
  'backends.NAME.roleArn': {
    type: 'text',
    does: 'a role to assume with the credentials that were found',
    examples: ['arn:aws:iam::123456789012:role/shop'],
  },
  'backends.NAME.externalId': {
    type: 'text',
    does: 'with `roleArn`: the external id that its trust policy asks for',
    examples: ['shop-1234'],
  },
  'backends.NAME.roleSessionName': {
    type: 'text',
    default: '`pannier`',
    does: 'name of the session, for CloudTrail',
    examples: ['shop'],
  },
  'secrets.NAME.secretId': {
    type: 'text',
    does: 'a secret of Secrets Manager: name, ARN, or ARN without its random end',
    examples: ['prod/stripe'],
  },
  'secrets.NAME.stage': {
    type: 'text',
    default: '`AWSCURRENT`',
    does: 'with `secretId`: the staging label, such as `AWSPREVIOUS`',
    examples: ['AWSPREVIOUS'],
  },
  'secrets.NAME.versionId': {
    type: 'text',
    does: 'with `secretId`: pins a version',
    examples: ['a1b2c3d4-5678-90ab-cdef-1234567890ab'],
  },
  'secrets.NAME.previous': {
    type: 'boolean',
    default: '`false`',
    does: 'with `secretId`: adds the field `previous`, a map of the fields of `AWSPREVIOUS`',
  },
  'secrets.NAME.pending': {
    type: 'boolean',
    default: '`false`',
    does: 'with `secretId`: adds the field `pending`, a map of the fields of `AWSPENDING`',
  },
  'secrets.NAME.parameter': {
    type: 'text',
    does: 'a parameter of Parameter Store by name or ARN; all below a path when it begins and ends with `/`',
    examples: ['/prod/shop/db-host', '/prod/shop/'],
  },
  'secrets.NAME.prefix': {
    type: 'text',
    does: 'all secrets of Secrets Manager whose names begin so, a field for each; `""` is all',
    examples: ['prod/shop/'],
  },
  'secrets.NAME.tags': {
    type: 'map',
    default: '`{}`',
    does: 'with `prefix`: only those with all these tags',
    examples: [{ team: 'shop' }],
  },
  'secrets.NAME.roleArn': {
    type: 'text',
    does: "with `secretId`, `parameter`, `prefix`: a role to assume for this one, with the backend's identity",
    examples: ['arn:aws:iam::123456789012:role/billing'],
  },
  'secrets.NAME.externalId': {
    type: 'text',
    does: 'with `roleArn`: the external id that its trust policy asks for',
    examples: ['billing-1234'],
  },
};
