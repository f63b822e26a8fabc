import { expect } from 'chai';
import { ManifestSchema } from '../contract/index.ts';
import { PAGES, readPublished, referencePage } from './reference.ts';

describe('the reference for authors', () => {
  for (const [file, make] of Object.entries(PAGES)) {
    it(`is current: ${file}, which node plugins-sdk/authors-docs/reference.ts writes`, () => {
      expect(readPublished(file)).to.equal(make());
    });
  }
  it('has every field of the manifest', () => {
    const page = referencePage();
    for (const name of Object.keys(ManifestSchema.properties)) {
      if (name !== '$schema') expect(page).to.include(`| \`${name}\` |`);
    }
    expect(page).to.include('| `routes[].access` | `public`, `caller`, `operator` | yes |');
  });
});
