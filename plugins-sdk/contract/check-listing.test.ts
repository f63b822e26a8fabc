import { expect } from 'chai';
import { listingFaults, readImage } from './check-listing.ts';
import { checkManifest } from './check-manifest.ts';
import { svgFault } from './check-svg.ts';
import { IMAGE_BYTES_MAX, README_BYTES_MAX, SVG_BYTES_MAX } from './listing.ts';
import type { Manifest } from './manifest.ts';
import { jpegOf, pngOf, webpOf } from './test-images.ts';

const manifest = (changes: Partial<Manifest> = {}): Manifest => ({
  name: 'hello',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme',
  title: 'Hello',
  description: 'Says hello.',
  category: 'software',
  entry: 'src/index.ts',
  engine: '^0.1.0',
  ...changes,
});
const svg = (content: string, attributes = '') =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${attributes}>${content}</svg>`);
const files = (entries: Record<string, string | Uint8Array>) =>
  new Map(Object.entries(entries).map(([name, content]) => [name, Buffer.from(content)]));

describe('listing of a manifest', () => {
  const faultsOf = (listing: unknown) => {
    const checked = checkManifest({ ...manifest(), listing });
    return checked.ok ? [] : checked.faults.map(({ pointer }) => pointer);
  };

  it('takes pictures, texts in two languages, categories and links', () => {
    const listing = {
      icon: 'listing/icon.svg',
      screenshots: [{ file: 'listing/one.png', caption: { en: 'One', zh: '一' } }],
      images: ['docs/flow.webp'],
      categories: ['gaming'],
      homepage: 'https://example.com/hello',
      support: 'mailto:help@example.com',
      title: { zh: '你好' },
      description: { zh: '打招呼。' },
    };
    expect(faultsOf(listing)).to.deep.equal([]);
  });

  it('refuses names that climb, links that run or hide somebody, and what it does not know', () => {
    for (const icon of ['../icon.png', '/icon.png', 'icon.gif', 'a\\b.png', 'icon.png?x', './icon.png'])
      expect(faultsOf({ icon }), icon).to.deep.equal(['/listing/icon']);
    for (const homepage of [
      'http://example.com',
      'javascript:alert(1)',
      'https://bank.com@evil.com',
      'https://a"b',
      'data:text/html,x',
    ])
      expect(faultsOf({ homepage }), homepage).to.deep.equal(['/listing/homepage']);
    for (const support of ['mailto:a@b?subject=x', 'tel:1', 'javascript:1'])
      expect(faultsOf({ support }), support).to.include('/listing/support');
    expect(faultsOf({ categories: ['software'] })).to.deep.equal(['/listing/categories']);
    expect(faultsOf({ video: 'x.mp4' })).to.deep.equal(['/listing/video']);
    expect(faultsOf({ title: { fr: 'Bonjour' } })).to.deep.equal(['/listing/title/fr']);
  });
});

describe('svgFault', () => {
  it('lets drawings through', () => {
    const drawing = `<title>Key</title><defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient></defs>
      <g transform="scale(2)"><path d="M0 0h24v24" fill="url(#a)" style="stroke: #000; fill: url('#a')"/></g>`;
    expect(svgFault(svg(drawing, 'viewBox="0 0 24 24"'))).to.equal(null);
    expect(svgFault(Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n${svg('')}`))).to.equal(
      null,
    );
  });

  const attacks: Record<string, [Buffer, RegExp]> = {
    'a script': [svg('<script>alert(1)</script>'), /element <script>/],
    'a script behind another prefix': [
      Buffer.from('<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>1</s:script></s:svg>'),
      /element <s:svg>/,
    ],
    'an event handler': [svg('', 'onload="alert(1)"'), /attribute onload/],
    'an event handler in capitals': [svg('<path oNcLiCk="alert(1)"/>'), /attribute oNcLiCk/],
    'HTML in a foreignObject': [
      svg('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>'),
      /<foreignObject>/,
    ],
    'elements of HTML': [svg('<iframe xmlns="http://www.w3.org/1999/xhtml" src="https://evil.example"/>'), /<iframe>/],
    'a picture from elsewhere': [svg('<image href="https://evil.example/pixel.png"/>'), /<image>/],
    'a link that runs': [svg('<a href="javascript:alert(1)"><path d="M0 0"/></a>'), /<a>/],
    'a style sheet': [svg('<style>@import url(https://evil.example)</style>'), /<style>/],
    'a paint from elsewhere': [svg('<path fill="url(https://evil.example/#a)"/>'), /outside of itself in fill/],
    'a paint from elsewhere in CSS': [
      svg('<path style="fill:url( //evil.example/a )"/>'),
      /outside of itself in style/,
    ],
    'a paint behind an escape': [
      svg('<path style="fill:u\\72l(https://evil.example)"/>'),
      /outside of itself in style/,
    ],
    'a paint behind a character reference': [svg('<path fill="url&#40;https://evil.example)"/>'), /outside of itself/],
    'a set of images': [svg('<path style="mask:image-set(\'https://evil.example/a\' 1x)"/>'), /outside of itself/],
    'a set animation': [svg('<set attributeName="href" to="javascript:alert(1)"/>'), /<set>/],
    'an animation': [svg('<animate attributeName="x" values="1"/>'), /<animate>/],
    'repeated shapes': [svg('<g id="a"/><use href="#a"/>'), /<use>/],
    'clips of clips': [
      svg('<clipPath id="a"><path clip-path="url(#b)"/></clipPath>'),
      /clips, masks or filters in clip-path/,
    ],
    'filters in CSS': [svg('<path style="FILTER:url(#a)"/>'), /clips, masks or filters in style/],
    masks: [svg('<mask id="a"/>'), /<mask>/],
    'another base': [svg('<path d="" xml:base="https://evil.example"/>'), /attribute xml:base/],
    'a reference of XLink': [
      Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><path xlink:href="#a"/></svg>',
      ),
      /attribute xlink:href/,
    ],
    'a bomb of entities': [
      Buffer.from(
        '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg"><text>&b;&b;</text></svg>',
      ),
      /DOCTYPE/,
    ],
    'an entity of a file': [
      Buffer.from(
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
      ),
      /DOCTYPE/,
    ],
    'an entity that is not defined': [svg('<text>&a;</text>'), /not well-formed/],
    'a style sheet by instruction': [
      Buffer.from('<?xml-stylesheet href="https://evil.example/a.xsl"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
      /instruction <\?xml-stylesheet/,
    ],
    'another document': [Buffer.from('<html xmlns="http://www.w3.org/1999/xhtml"/>'), /is no SVG/],
    'no document': [Buffer.from('  '), /not well-formed|no SVG/],
    'text of another encoding': [Buffer.from([0xff, 0xfe, 0x3c, 0x00]), /UTF-8/],
    'a declaration of another encoding': [
      Buffer.from('<?xml version="1.0" encoding="Shift_JIS"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
      /encoding is Shift_JIS/,
    ],
    'a deep nest': [svg(`${'<g>'.repeat(40)}${'</g>'.repeat(40)}`), /nested more than 32/],
    'too many elements': [svg('<g/>'.repeat(2_001)), /more than 2000 elements/],
    'too many bytes': [svg(' '.repeat(SVG_BYTES_MAX)), /larger than/],
    'an end before its time': [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg">'), /not well-formed/],
  };
  for (const [name, [bytes, fault]] of Object.entries(attacks)) {
    it(`refuses ${name}`, () => expect(svgFault(bytes)).to.match(fault));
  }
});

describe('readImage', () => {
  it('reads kind and size of PNG, JPEG and WebP from their heads', () => {
    expect(readImage('a.png', pngOf(640, 480))).to.deep.equal({
      mediaType: 'image/png',
      size: { width: 640, height: 480 },
    });
    expect(readImage('a.jpg', jpegOf(64, 48))).to.deep.equal({
      mediaType: 'image/jpeg',
      size: { width: 64, height: 48 },
    });
    expect(readImage('a.webp', webpOf(100, 50))).to.deep.equal({
      mediaType: 'image/webp',
      size: { width: 100, height: 50 },
    });
  });

  it('refuses names that lie, pictures that unpack to gigabytes, and what ends early', () => {
    expect(readImage('a.png', jpegOf(64, 48))).to.match(/not the kind/);
    expect(readImage('a.png', svg('<script/>'))).to.match(/not the kind/);
    expect(readImage('a.png', Buffer.from('<html><script>alert(1)</script>'))).to.match(/not the kind/);
    expect(readImage('a.png', Buffer.alloc(0))).to.match(/not the kind/);
    expect(readImage('a.png', pngOf(60_000, 60_000))).to.match(/has 60000 x 60000 pixels/);
    expect(readImage('a.png', pngOf(0, 10))).to.match(/can be read/);
    expect(readImage('a.png', pngOf(10, 10).subarray(0, 12))).to.match(/can be read/);
    expect(readImage('a.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0]))).to.match(/can be read/);
    expect(readImage('a.png', Buffer.concat([pngOf(10, 10), Buffer.alloc(IMAGE_BYTES_MAX)]))).to.match(/larger than/);
  });
});

describe('listingFaults', () => {
  it('names every file that is missing, too large or no picture, and says why', () => {
    const listing = { icon: 'icon.png', screenshots: [{ file: 'one.png' }], images: ['two.svg', 'three.png'] };
    const faults = listingFaults(
      manifest({ listing }),
      files({
        'README.md': 'a'.repeat(README_BYTES_MAX + 1),
        'CHANGELOG.md': Buffer.from([0xff]),
        'icon.png': pngOf(64, 32),
        'two.svg': svg('<script/>'),
        'three.png': pngOf(1_920, 1_080),
      }),
    );
    expect(faults.map(({ file }) => file)).to.deep.equal([
      'README.md',
      'CHANGELOG.md',
      'icon.png',
      'one.png',
      'two.svg',
    ]);
    expect(faults[2]?.reason).to.match(/64 x 32 pixels; an icon is square/);
    expect(faults[3]?.reason).to.match(/is missing/);
  });

  it('has nothing to say of a release without any of it', () => {
    expect(listingFaults(manifest(), files({ 'bundle.js': '' }))).to.deep.equal([]);
  });
});
