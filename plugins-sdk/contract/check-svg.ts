import { SaxesParser } from 'saxes';
import { SVG_BYTES_MAX } from './listing.ts';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const ELEMENTS_MAX = 2_000;
const DEPTH_MAX = 32;

/** What draws, and nothing that runs, loads, repeats or moves: no `use`, `pattern` and `mask`, which can be made to draw billions of shapes. */
const ELEMENTS = new Set([
  ...['svg', 'g', 'defs', 'title', 'desc', 'path', 'rect', 'circle', 'ellipse', 'line', 'polyline', 'polygon'],
  ...['text', 'tspan', 'linearGradient', 'radialGradient', 'stop', 'clipPath'],
]);
const ATTRIBUTES = new Set([
  ...[
    'id',
    'class',
    'x',
    'y',
    'x1',
    'y1',
    'x2',
    'y2',
    'cx',
    'cy',
    'r',
    'rx',
    'ry',
    'fx',
    'fy',
    'dx',
    'dy',
    'd',
    'points',
  ],
  ...[
    'width',
    'height',
    'viewBox',
    'version',
    'preserveAspectRatio',
    'transform',
    'gradientTransform',
    'gradientUnits',
  ],
  ...['spreadMethod', 'offset', 'clipPathUnits', 'pathLength', 'textLength', 'role'],
  ...[
    'fill',
    'fill-opacity',
    'fill-rule',
    'stroke',
    'stroke-width',
    'stroke-opacity',
    'stroke-linecap',
    'stroke-linejoin',
  ],
  ...['stroke-miterlimit', 'stroke-dasharray', 'stroke-dashoffset', 'vector-effect', 'paint-order', 'opacity', 'color'],
  ...['stop-color', 'stop-opacity', 'clip-path', 'clip-rule', 'display', 'visibility', 'overflow'],
  ...['shape-rendering', 'text-rendering', 'color-interpolation', 'mix-blend-mode', 'isolation', 'enable-background'],
  ...['font-family', 'font-size', 'font-weight', 'font-style', 'text-anchor', 'dominant-baseline', 'letter-spacing'],
  ...['style', 'aria-label', 'aria-labelledby', 'aria-hidden', 'xml:space', 'xml:lang', 'lang'],
]);

/** Why an SVG file may not be shown, as a predicate (`contains …`), or null: it draws, and does nothing else. */
export function svgFault(bytes: Uint8Array): string | null {
  if (bytes.length > SVG_BYTES_MAX) return `is larger than ${SVG_BYTES_MAX} bytes`;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return 'is not valid UTF-8';
  }
  try {
    return readSvg(text) ? null : 'is no SVG';
  } catch (error) {
    if (error instanceof SvgRefused) return error.message;
    return `is not well-formed XML: ${(error as Error).message.slice(0, 200)}`;
  }
}

class SvgRefused extends Error {}

const refuse = (reason: string): never => {
  throw new SvgRefused(reason);
};

/** False where there is no element in it. Throws at the first thing that is wrong. */
function readSvg(text: string): boolean {
  // Strict: an entity that XML itself does not define is an error, and with it ends every bomb of entities.
  const parser = new SaxesParser({ xmlns: true, position: true });
  let elements = 0;
  const open: string[] = [];
  parser.on('error', (error) => {
    throw error;
  });
  // Whoever shows it would read other characters than were read here.
  parser.on('xmldecl', ({ encoding = 'UTF-8' }) => {
    if (!/^utf-8$/i.test(encoding)) refuse(`says that its encoding is ${encoding}; only UTF-8 is allowed`);
  });
  parser.on('doctype', () => refuse('contains a DOCTYPE; leave it out'));
  parser.on('processinginstruction', ({ target }) =>
    refuse(`contains the processing instruction <?${target}?>; leave it out`),
  );
  parser.on('opentag', ({ local, prefix, uri, attributes }) => {
    elements += 1;
    open.push(local);
    if (elements === 1 && local !== 'svg') refuse('is no SVG');
    if (elements > ELEMENTS_MAX) refuse(`has more than ${ELEMENTS_MAX} elements`);
    if (open.length > DEPTH_MAX) refuse(`is nested more than ${DEPTH_MAX} levels deep`);
    if (uri !== NAMESPACE || prefix !== '' || !ELEMENTS.has(local))
      refuse(
        `contains the element <${prefix === '' ? local : `${prefix}:${local}`}>, which pictures of listings may not have`,
      );
    for (const { name, value, prefix: of } of Object.values(attributes)) {
      if (name === 'xmlns' || of === 'xmlns') continue;
      if (!ATTRIBUTES.has(name))
        refuse(`contains the attribute ${name} of <${local}>, which pictures of listings may not have`);
      if (reachesOut(value)) refuse(`refers to something outside of itself in ${name} of <${local}>`);
      // A clip of clips of clips is worked out as often as there are ways through it.
      const clips = name === 'clip-path' || (name === 'style' && /clip-path|mask|filter|marker/i.test(value));
      if (clips && (name === 'style' || open.includes('clipPath')))
        refuse(`clips, masks or filters in ${name} of <${local}>, which pictures of listings may not`);
    }
  });
  parser.on('closetag', () => {
    open.pop();
  });
  // In parts: what is wrong early ends the work early.
  for (let at = 0; at < text.length; at += 4_096) parser.write(text.slice(at, at + 4_096));
  parser.close();
  return elements > 0;
}

/** CSS of `style` and of presentation attributes: `url(#id)` is the only reference, and there are no escapes to hide another one. */
const reachesOut = (value: string): boolean =>
  /\\|@|\/\*|javascript:|expression\s*\(|image(?:-set)?\s*\(|src\s*\(/i.test(value) ||
  /url\s*\((?!\s*['"]?#[\w.-]+['"]?\s*\))/i.test(value);
