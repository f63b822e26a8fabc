import type { Knex } from 'knex';
import type { ListedImage } from '../../plugins-sdk/contract/check-listing.ts';

export interface PageImage {
  file: string;
  sha256: string;
  mediaType: ListedImage['mediaType'];
  width: number | null;
  height: number | null;
}

/** What a listing shows out of one release's archive. */
export interface ReleasePage {
  readme: string | null;
  changelog: string | null;
  readmeHtml: string | null;
  changelogHtml: string | null;
  images: PageImage[];
}

export interface PageStore {
  find(releaseId: string): Promise<ReleasePage | null>;
  /** Nothing happens where another host was first. */
  save(releaseId: string, page: ReleasePage, contents: ReadonlyMap<string, Buffer>, madeAt: Date): Promise<void>;
  /** Of a plugin's releases that may be seen and are not blocked; null where there is none. */
  image(
    plugin: { publisher: string; name: string },
    sha256: string,
  ): Promise<{ mediaType: string; content: Buffer } | null>;
}

const IMAGE_COLUMNS = { file: 'file', sha256: 'sha256', mediaType: 'media_type', width: 'width', height: 'height' };

export function createPageStore(database: Knex): PageStore {
  return {
    async find(releaseId) {
      const page = await database('release_pages').where({ release_id: releaseId }).first({
        readme: 'readme',
        changelog: 'changelog',
        readmeHtml: 'readme_html',
        changelogHtml: 'changelog_html',
      });
      if (page === undefined) return null;
      const images = await database('release_images').where({ release_id: releaseId }).select(IMAGE_COLUMNS);
      return { ...page, images };
    },
    save: (releaseId, { readme, changelog, readmeHtml, changelogHtml, images }, contents, madeAt) =>
      database.transaction(async (transaction) => {
        const made = await transaction('release_pages')
          .insert({
            release_id: releaseId,
            readme,
            changelog,
            readme_html: readmeHtml,
            changelog_html: changelogHtml,
            made_at: madeAt,
          })
          .onConflict()
          .ignore()
          .returning('release_id');
        if (made.length === 0 || images.length === 0) return;
        await transaction('release_images').insert(
          images.map(({ file, sha256, mediaType, width, height }) => ({
            release_id: releaseId,
            file,
            sha256,
            media_type: mediaType,
            width,
            height,
            content: contents.get(file)!,
          })),
        );
      }),
    image: async ({ publisher, name }, sha256) =>
      (await database('release_images')
        .join('releases', 'releases.id', 'release_images.release_id')
        .join('plugins', 'plugins.id', 'releases.plugin_id')
        .join('organisations as publishers', 'publishers.id', 'plugins.organisation_id')
        .where({ 'publishers.slug': publisher, 'plugins.name': name, 'release_images.sha256': sha256 })
        .whereNull('releases.blocked')
        .first({ mediaType: 'release_images.media_type', content: 'release_images.content' })) ?? null,
  };
}
