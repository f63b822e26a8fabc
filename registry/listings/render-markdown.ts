import MarkdownIt from 'markdown-it';
import sanitizeHtml from 'sanitize-html';

/** Pictures of the archive by their names, and where they are served. */
export type ImageAddresses = Readonly<Record<string, string>>;

const TAGS = [
  ...[
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'p',
    'br',
    'hr',
    'blockquote',
    'pre',
    'code',
    'ul',
    'ol',
    'li',
    'dl',
    'dt',
    'dd',
  ],
  ...[
    'strong',
    'b',
    'em',
    'i',
    's',
    'del',
    'ins',
    'mark',
    'small',
    'sub',
    'sup',
    'kbd',
    'samp',
    'var',
    'q',
    'abbr',
    'a',
    'img',
  ],
  ...['table', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td', 'caption', 'details', 'summary', 'div', 'span'],
];
/** What is in these is no text for readers. */
const WITH_CONTENT = [
  ...[
    'script',
    'style',
    'textarea',
    'option',
    'select',
    'noscript',
    'iframe',
    'object',
    'embed',
    'applet',
    'xmp',
    'noembed',
  ],
  ...['noframes', 'plaintext', 'title', 'template', 'svg', 'math', 'audio', 'video', 'canvas', 'form', 'button'],
];
const NESTING_MAX = 40;
/** Without ids, names and styles, nothing of a stranger's can pose as a part of the page around it. */
const ATTRIBUTES = {
  a: ['href', 'title', 'rel'],
  img: ['src', 'alt', 'title', 'width', 'height', 'loading'],
  th: ['align'],
  td: ['align'],
  ol: ['start'],
  code: ['class'],
};
const LINK = /^(?:https?:\/\/|mailto:)/i;

const markdown = new MarkdownIt({ html: true, linkify: true, maxNesting: NESTING_MAX });

/**
 * Markdown from a stranger as HTML that may stand in a page: no scripts, styles, frames or forms; links to the web and mail only, and
 * without weight; pictures of `images` only. The same input gives the same output. It may take long: see render-in-worker.ts.
 */
export function renderMarkdown(text: string, images: ImageAddresses): string {
  return sanitizeHtml(markdown.render(text), {
    allowedTags: TAGS,
    nonTextTags: WITH_CONTENT,
    allowedAttributes: ATTRIBUTES,
    allowedClasses: { code: ['language-*'] },
    allowedSchemes: ['https', 'http', 'mailto'],
    allowProtocolRelative: false,
    nestingLimit: NESTING_MAX,
    enforceHtmlBoundary: false,
    transformTags: {
      a: (tagName, { href = '', title }) => ({
        tagName,
        attribs: {
          ...(LINK.test(href) && { href, rel: 'nofollow noopener noreferrer ugc' }),
          ...(title !== undefined && { title }),
        } as Record<string, string>,
      }),
      img: (tagName, { src = '', alt = '', title, width, height }) => {
        const address = addressOf(src, images);
        // Without `src` it is dropped below.
        if (address === null) return { tagName, attribs: {} as Record<string, string> };
        const size = { ...sizeOf('width', width), ...sizeOf('height', height) };
        const attribs = { src: address, alt, loading: 'lazy', ...size, ...(title !== undefined && { title }) };
        return { tagName, attribs: attribs as Record<string, string> };
      },
      th: aligned,
      td: aligned,
    },
    exclusiveFilter: ({ tag, attribs }) => tag === 'img' && attribs.src === undefined,
  });
}

function addressOf(src: string, images: ImageAddresses): string | null {
  let file: string;
  try {
    file = decodeURI(src).replace(/^\.\//, '');
  } catch {
    return null;
  }
  return Object.hasOwn(images, file) ? images[file]! : null;
}

const sizeOf = (name: string, value: string | undefined): Record<string, string> =>
  value !== undefined && /^[0-9]{1,4}$/.test(value) ? { [name]: value } : {};

/** Columns of tables are aligned by style, which is not let through. */
function aligned(tagName: string, { style = '', align }: Record<string, string>) {
  const side = /^text-align:(left|center|right)$/.exec(style)?.[1] ?? align;
  const attribs: Record<string, string> =
    side !== undefined && /^(?:left|center|right)$/.test(side) ? { align: side } : {};
  return { tagName, attribs };
}
