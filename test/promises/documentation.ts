import { held, inFile, type Section } from './promise.ts';

const walks = inFile('test/docs/walks.test.ts');
const policies = inFile('test/docs/policies.test.ts', 'on a real OpenBao');

export const documentation: Section = {
  name: 'Documentation',
  promises: [
    held(
      'pages-work',
      'The commands of the pages work in bash and in zsh as they stand, and what a page shows is what they printed.',
      walks('in an interactive %s the commands of $page work, and show what it says'),
      inFile('test/docs/tied.test.ts', 'commands and samples on the pages')('%s: each is run, or says why not'),
    ),
    held(
      'pages-leave-nothing',
      'Getting started leaves nothing behind, a root token least of all.',
      walks('after its last command $page has left nothing in the home directory, no root token either'),
    ),
    held(
      'policies-are-least',
      'Each policy of the cookbook is enough for the configuration beside it, and none of its lines is too many.',
      policies('%s is enough, and none of its lines too many'),
    ),
  ],
};
