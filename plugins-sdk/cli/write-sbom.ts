import type { BundledPackage } from '../bundling/bundled-packages.ts';
import type { Manifest } from '../contract/index.ts';

/**
 * CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): the packages whose code is in the bundle. It has neither time nor serial number,
 * so that the same sources are the same release.
 */
export function writeSbom({ publisher, name, version }: Manifest, packages: BundledPackage[]): string {
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': 'plugin', group: publisher, name, version },
    },
    components: packages.map((each) => {
      const purl = purlOf(each);
      const [group, own] = each.name.startsWith('@') ? each.name.split('/') : [undefined, each.name];
      return {
        type: 'library',
        'bom-ref': purl,
        ...(group && { group }),
        name: own,
        version: each.version,
        purl,
        // An expression holds for single ids too.
        ...(each.license && { licenses: [{ expression: each.license }] }),
      };
    }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

const purlOf = ({ name, version }: BundledPackage): string =>
  `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;
