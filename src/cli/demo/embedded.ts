import { writeFile } from 'node:fs/promises';
import type { Scene } from './scene.ts';
import type { Stage } from './stage.ts';

/** The embedded default: a YAML file is the backend. */
export async function embeddedScene(stage: Stage): Promise<Scene> {
  const secrets = await stage.write('secrets.yaml', secretsWith('winter-is-over'));
  return {
    title: 'A backend with one secret: here a file, in production HashiCorp Vault or OpenBao.',
    shown: secretsWith('winter-is-over'),
    backends: `backends:\n  demo: { kind: file, path: ./secrets.yaml }\n`,
    secret: 'shop: { key: shop }',
    rotateTitle: 'The password is rotated at the backend.',
    rotate: () => writeFile(secrets, secretsWith('spring-has-come')),
  };
}

function secretsWith(password: string): string {
  return `shop:\n  username: shop\n  password: ${password}\n`;
}
