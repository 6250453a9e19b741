import type { Words } from '../../config/words/words.ts';

/** Keys of backends of kind `file`. */
export const fileWords: Words = {
  'backends.NAME.path': {
    type: 'path',
    default: 'required',
    does: 'kind `file`: a file of secrets or a folder, see [what it reads](configuration.md#what-a-file-backend-reads)',
    examples: ['./secrets.yaml'],
  },
  'secrets.NAME.key': { type: 'text', does: 'kind `file`: the top-level key of the file', examples: ['shop'] },
};
