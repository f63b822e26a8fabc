import { readImage } from '../../plugins-sdk/contract/check-listing.ts';
import {
  ARCHIVE_FILES,
  CHANGELOG_BYTES_MAX,
  listedFiles,
  README_BYTES_MAX,
  sha256Hex,
} from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../contract.ts';
import { storedText } from '../rules/stored-text.ts';
import type { PageImage, PageStore, ReleasePage } from './page-store.ts';
import type { ImageAddresses } from './render-markdown.ts';

export interface MakePagePorts {
  pages: Pick<PageStore, 'find' | 'save'>;
  /** Every file of a release's archive. */
  filesOf(releaseId: string): Promise<ReadonlyMap<string, Buffer>>;
  render(texts: (string | null)[], images: ImageAddresses): Promise<(string | null)[]>;
  nowMs(): number;
}

/** Where a picture is served; the same bytes have the same address in every release. */
export const imageAddress = (plugin: string, sha256: string): string => `/v1/catalogue/${plugin}/assets/${sha256}`;

/**
 * The page of a release: found, or made from its archive and kept. Whoever asks while it is being made waits for that one, and pages
 * are made one after the other, so that many at once cannot take the host for themselves.
 */
export function makePages(ports: MakePagePorts): (release: Release) => Promise<ReleasePage> {
  const making = new Map<string, Promise<ReleasePage>>();
  let last: Promise<unknown> = Promise.resolve();
  return async (release) => {
    const found = await ports.pages.find(release.id);
    if (found !== null) return found;
    const begun = making.get(release.id);
    if (begun !== undefined) return begun;
    const made = last.then(() => makePage(ports, release));
    last = made.catch(() => {});
    making.set(release.id, made);
    return made.finally(() => making.delete(release.id));
  };
}

async function makePage({ pages, filesOf, render, nowMs }: MakePagePorts, release: Release): Promise<ReleasePage> {
  const files = await filesOf(release.id);
  const images: PageImage[] = [];
  for (const file of listedFiles(release.manifest.listing ?? {})) {
    const bytes = files.get(file);
    const image = bytes && readImage(file, bytes);
    // Releases from before pictures were checked, and rules that became stricter: what does not fit is not shown.
    if (image === undefined || typeof image === 'string') continue;
    const { width = null, height = null } = image.size ?? {};
    images.push({ file, sha256: sha256Hex(bytes!), mediaType: image.mediaType, width, height });
  }
  const readme = textOf(files.get(ARCHIVE_FILES.readme), README_BYTES_MAX);
  const changelog = textOf(files.get(ARCHIVE_FILES.changelog), CHANGELOG_BYTES_MAX);
  const addresses = Object.fromEntries(images.map(({ file, sha256 }) => [file, imageAddress(release.plugin, sha256)]));
  const [readmeHtml = null, changelogHtml = null] = await render([readme, changelog], addresses);
  const page = { readme, changelog, readmeHtml, changelogHtml, images };
  await pages.save(release.id, page, new Map(files), new Date(nowMs()));
  return page;
}

/** As much of it as may be shown. */
const textOf = (bytes: Buffer | undefined, bytesMax: number): string | null =>
  bytes === undefined ? null : storedText(bytes.subarray(0, bytesMax).toString('utf8'));
