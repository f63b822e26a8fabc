import { type Static, Type } from 'typebox';

export const CATEGORIES = [
  'vpn',
  'streaming',
  'gaming',
  'software',
  'productivity',
  'security',
  'entertainment',
  'utilities',
] as const;
export type Category = (typeof CATEGORIES)[number];

/** What marketplaces show beside title and description. Texts are in these languages. */
export const LISTING_LOCALES = ['en', 'zh'] as const;
export type ListingLocale = (typeof LISTING_LOCALES)[number];

export const README_BYTES_MAX = 128 * 1024;
export const CHANGELOG_BYTES_MAX = 128 * 1024;
export const ICON_BYTES_MAX = 128 * 1024;
export const SVG_BYTES_MAX = 64 * 1024;
export const IMAGE_BYTES_MAX = 1024 * 1024;
export const ICON_PIXELS_MIN = 32;
export const ICON_PIXELS_MAX = 1_024;
export const IMAGE_PIXELS_MAX = 4_096;
export const SCREENSHOTS_MAX = 8;
export const README_IMAGES_MAX = 16;
export const FURTHER_CATEGORIES_MAX = 2;

/** A name in the archive: nothing absolute, nothing that climbs. */
const FILE = '(?!.*(?:^|/)\\.{1,2}(?:/|$))[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*';
export const ICON_PATTERN = `^${FILE}\\.(?:png|svg|webp)$`;
export const IMAGE_PATTERN = `^${FILE}\\.(?:png|jpg|jpeg|webp|svg)$`;
/** Links that people follow: nothing but https and mail. */
export const LINK_PATTERN = '^https://[^\\s"<>\\\\^`{|}@]{1,500}$';
export const SUPPORT_PATTERN =
  '^(?:https://[^\\s"<>\\\\^`{|}@]{1,500}|mailto:[^\\s"<>\\\\^`{|}@?&]{1,64}@[A-Za-z0-9.-]{1,190})$';

const strict = { additionalProperties: false };
const Texts = (maxLength: number, description: string) => {
  const text = Type.Optional(Type.String({ minLength: 1, maxLength }));
  return Type.Object({ en: text, zh: text }, { ...strict, description });
};
const Image = Type.String({ pattern: IMAGE_PATTERN, maxLength: 100 });

/** The block `listing` of a manifest. Files are named as they lie in the plugin's folder. */
export const ListingSchema = Type.Object(
  {
    icon: Type.Optional(
      Type.String({ pattern: ICON_PATTERN, maxLength: 100, description: 'A square picture: PNG, WebP or plain SVG.' }),
    ),
    screenshots: Type.Optional(
      Type.Array(
        Type.Object({ file: Image, caption: Type.Optional(Texts(200, 'What it shows, by language.')) }, strict),
        { maxItems: SCREENSHOTS_MAX },
      ),
    ),
    images: Type.Optional(
      Type.Array(Image, {
        maxItems: README_IMAGES_MAX,
        uniqueItems: true,
        description: 'Further pictures, which README.md and CHANGELOG.md show.',
      }),
    ),
    categories: Type.Optional(
      Type.Array(Type.Unsafe<Category>(Type.Union(CATEGORIES.map((name) => Type.Literal(name)))), {
        maxItems: FURTHER_CATEGORIES_MAX,
        uniqueItems: true,
        description: 'Where it is found as well, beside `category`.',
      }),
    ),
    homepage: Type.Optional(Type.String({ pattern: LINK_PATTERN, description: 'An https address.' })),
    support: Type.Optional(Type.String({ pattern: SUPPORT_PATTERN, description: 'An https address, or mailto:.' })),
    title: Type.Optional(Texts(80, 'The title, by language; `title` of the manifest where one is missing.')),
    description: Type.Optional(Texts(500, 'The description, by language; likewise.')),
  },
  { ...strict, description: 'What marketplaces show of the plugin.' },
);

export type Listing = Static<typeof ListingSchema>;

/** Files of the archive that the block names, each once. */
export function listedFiles({ icon, screenshots = [], images = [] }: Listing): string[] {
  return [...new Set([...(icon === undefined ? [] : [icon]), ...screenshots.map(({ file }) => file), ...images])];
}
