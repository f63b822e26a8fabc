import { disableTypes, imageSize, types } from 'image-size';
import { svgFault } from './check-svg.ts';
import {
  CHANGELOG_BYTES_MAX,
  ICON_BYTES_MAX,
  ICON_PIXELS_MAX,
  ICON_PIXELS_MIN,
  IMAGE_BYTES_MAX,
  IMAGE_PIXELS_MAX,
  listedFiles,
  README_BYTES_MAX,
} from './listing.ts';
import type { Manifest } from './manifest.ts';
import { ARCHIVE_FILES } from './release.ts';

/** One picture, by what its bytes say. */
export interface ListedImage {
  mediaType: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/svg+xml';
  /** In pixels; null for SVG, which has any size. */
  size: { width: number; height: number } | null;
}

/** A file that may not be shown; `reason` is a predicate about it. */
export interface ListingFault {
  file: string;
  reason: string;
}

// Readers of other formats are more code for strangers' bytes; some have been sent round in circles by them.
disableTypes(types.filter((type) => !['png', 'jpg', 'webp'].includes(type)));

const MAGIC: readonly [RegExp, RegExp, Exclude<ListedImage['mediaType'], 'image/svg+xml'>][] = [
  [/\.png$/, /^89504e470d0a1a0a/, 'image/png'],
  [/\.jpe?g$/, /^ffd8ff/, 'image/jpeg'],
  [/\.webp$/, /^52494646.{8}57454250/, 'image/webp'],
];

/** What of a release's archive marketplaces show, checked without decoding a picture. All faults at once. */
export function listingFaults(manifest: Manifest, files: ReadonlyMap<string, Uint8Array>): ListingFault[] {
  const texts: [string, number][] = [
    [ARCHIVE_FILES.readme, README_BYTES_MAX],
    [ARCHIVE_FILES.changelog, CHANGELOG_BYTES_MAX],
  ];
  const { listing = {} } = manifest;
  return [
    ...texts.flatMap(([file, bytesMax]) => textFaults(file, files.get(file), bytesMax)),
    ...listedFiles(listing).flatMap((file): ListingFault[] => {
      const bytes = files.get(file);
      if (bytes === undefined) return [{ file, reason: 'is named in `listing` of the manifest and is missing' }];
      const image = readImage(file, bytes);
      const reason = typeof image === 'string' ? image : file === listing.icon ? iconFault(image, bytes) : null;
      return reason === null ? [] : [{ file, reason }];
    }),
  ];
}

function textFaults(file: string, bytes: Uint8Array | undefined, bytesMax: number): ListingFault[] {
  if (bytes === undefined) return [];
  if (bytes.length > bytesMax) return [{ file, reason: `is larger than ${bytesMax} bytes` }];
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return [];
  } catch {
    return [{ file, reason: 'is not valid UTF-8' }];
  }
}

/** What a picture is, or why it may not be shown. Its name and its bytes have to agree. */
export function readImage(file: string, bytes: Uint8Array): ListedImage | string {
  if (bytes.length > IMAGE_BYTES_MAX) return `is larger than ${IMAGE_BYTES_MAX} bytes`;
  if (file.endsWith('.svg')) return svgFault(bytes) ?? { mediaType: 'image/svg+xml', size: null };
  const head = Buffer.from(bytes.subarray(0, 12)).toString('hex');
  const kind = MAGIC.find(([name, magic]) => name.test(file) && magic.test(head));
  if (kind === undefined) return 'is not the kind of picture that its name says';
  let size: { width: number; height: number };
  try {
    size = imageSize(bytes);
  } catch {
    return 'is no picture that can be read';
  }
  const { width, height } = size;
  if (!(width >= 1 && height >= 1)) return 'is no picture that can be read';
  if (width > IMAGE_PIXELS_MAX || height > IMAGE_PIXELS_MAX)
    return `has ${width} x ${height} pixels; at most ${IMAGE_PIXELS_MAX} x ${IMAGE_PIXELS_MAX} are allowed`;
  return { mediaType: kind[2], size: { width, height } };
}

function iconFault({ size }: ListedImage, bytes: Uint8Array): string | null {
  if (bytes.length > ICON_BYTES_MAX) return `is larger than ${ICON_BYTES_MAX} bytes, which icons may have`;
  if (size === null) return null;
  const { width, height } = size;
  if (width === height && width >= ICON_PIXELS_MIN && width <= ICON_PIXELS_MAX) return null;
  return `has ${width} x ${height} pixels; an icon is square, from ${ICON_PIXELS_MIN} to ${ICON_PIXELS_MAX} pixels wide`;
}
