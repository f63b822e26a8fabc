import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { PERMISSIONS, ROLES_OF_KIND } from '../../registry/index.ts';
import { isSecret, secretOf } from '../../registry/rules/token-secret.ts';
import { permissionGuide } from './permission-guide.ts';

describe('docs/permissions.md', () => {
  const stored = readFileSync(join(import.meta.dirname, '../../docs/permissions.md'), 'utf8');

  it('is what the table says: node host/http/permission-guide.ts > docs/permissions.md', () => {
    expect(stored).to.equal(permissionGuide());
  });

  it('names a pattern that finds the tokens of every role in a text', () => {
    const pattern = new RegExp(/^ {4}(gh_\S+)$/m.exec(stored)![1]!, 'g');
    for (const role of Object.values(ROLES_OF_KIND).flat()) {
      const secret = secretOf(role, new Uint8Array(32).fill(7));
      expect(isSecret(secret)).to.equal(true);
      expect(`token: "${secret}",`.match(pattern), role).to.deep.equal([secret]);
    }
    expect(Object.keys(PERMISSIONS)).to.have.length(Object.values(ROLES_OF_KIND).flat().length + 1);
  });
});
