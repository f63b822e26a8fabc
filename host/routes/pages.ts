import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
// Its index would load the whole bundle into the host; only the path of its files is needed.
import swaggerUiPath from 'swagger-ui-dist/absolute-path.js';
import { Type } from 'typebox';
import { HostRefusal } from '../errors.ts';
import { adviceFor } from '../http/error-guide.ts';
import { devicePage } from '../http/pages/device-page.ts';
import { escapeHtml, htmlPage, prose } from '../http/pages/page.ts';
import { type ErrorRow, errorTable } from '../http/problems.ts';
import { answer, type Route, route } from '../http/route.ts';
import { nullable } from './fields.ts';

const HTML = 'text/html; charset=utf-8';
const html = (text: string) => answer(text, { mediaType: HTML, headers: { Vary: 'Accept' } });
const Html = Type.Unsafe<string>({ type: 'string', contentMediaType: 'text/html' });

const LINKS = {
  docs: ['/docs', 'Every route, with schemas and a form to try it.'],
  openapi: ['/openapi.json', 'The same for programs: OpenAPI 3.1.'],
  problems: ['/problems', 'Every error code: what it means and what to do.'],
  ready: ['/readyz', 'Whether this host can take requests.'],
} as const;

const Home = Type.Object(
  { name: Type.String(), version: Type.String(), links: Type.Record(Type.String(), Type.String()) },
  { title: 'Home' },
);
const Explanation = Type.Object(
  {
    code: Type.String(),
    status: nullable(Type.Integer()),
    title: Type.String(),
    advice: Type.String({ description: 'What to do.' }),
  },
  { title: 'Explanation' },
);

/** What people see in a browser, and the same as JSON for programs that ask for it. */
export const pageRoutes = ({ version }: { version: string }): Route[] => [
  route({
    method: 'GET',
    path: '/',
    consumer: 'Pages',
    summary: 'Where to go from here; HTML for browsers.',
    allow: 'public',
    reply: { 200: Home },
    refuses: [],
    handle: ({ wantsHtml }) => {
      if (wantsHtml) return html(homePage(version));
      const links = Object.fromEntries(Object.entries(LINKS).map(([name, [path]]) => [name, path]));
      return answer({ name: 'Gatehouse', version, links }, { headers: { Vary: 'Accept' } });
    },
  }),
  route({
    method: 'GET',
    path: '/docs',
    consumer: 'Pages',
    summary: 'This documentation.',
    allow: 'public',
    reply: { 200: Html },
    refuses: [],
    handle: () => html(docsPage()),
  }),
  route({
    method: 'GET',
    path: '/device',
    consumer: 'Pages',
    summary: 'Where a person approves the code that `gate login` shows.',
    allow: 'public',
    query: Type.Object({ code: Type.Optional(Type.String({ maxLength: 20 })) }, { additionalProperties: false }),
    reply: { 200: Html },
    refuses: [],
    handle: () => html(devicePage()),
  }),
  assetRoute(),
  ...problemRoutes(),
];

const problemRoutes = (): Route[] => [
  route({
    method: 'GET',
    path: '/problems',
    consumer: 'Pages',
    summary: 'Every error code; HTML for browsers.',
    allow: 'public',
    reply: { 200: Type.Object({ items: Type.Array(Explanation) }, { title: 'Explanations' }) },
    refuses: [],
    handle: ({ wantsHtml }) =>
      wantsHtml
        ? html(problemsPage())
        : answer({ items: errorTable().map(explanation) }, { headers: { Vary: 'Accept' } }),
  }),
  route({
    method: 'GET',
    path: '/problems/:code',
    consumer: 'Pages',
    summary: 'What one error code means and what to do; HTML for browsers.',
    allow: 'public',
    params: Type.Object({ code: Type.String({ maxLength: 64 }) }),
    reply: { 200: Explanation },
    refuses: ['route-unknown'],
    handle: ({ params: { code }, wantsHtml }) => {
      const row = errorTable().find((each) => each.code === code);
      if (row === undefined) throw new HostRefusal('route-unknown', 'There is no such error code; see /problems.');
      return wantsHtml ? html(problemPage(row)) : answer(explanation(row), { headers: { Vary: 'Accept' } });
    },
  }),
];

const explanation = (row: ErrorRow) => ({ ...row, advice: adviceFor(row) });

const here = (file: string) => join(import.meta.dirname, '../http/pages', file);
/** The whole list of files that are served; nothing is looked up by a name from outside. */
const ASSETS: Record<string, [path: string, mediaType: string]> = {
  'style.css': [here('style.css'), 'text/css; charset=utf-8'],
  'device.js': [here('device.js'), 'text/javascript; charset=utf-8'],
  'start-docs.js': [here('start-docs.js'), 'text/javascript; charset=utf-8'],
  'swagger-ui.css': [join(swaggerUiPath(), 'swagger-ui.css'), 'text/css; charset=utf-8'],
  'swagger-ui-bundle.js': [join(swaggerUiPath(), 'swagger-ui-bundle.js'), 'text/javascript; charset=utf-8'],
};

function assetRoute(): Route {
  const loaded = new Map<string, { bytes: Buffer; etag: string }>();
  const load = (file: string, path: string) => {
    const bytes = readFileSync(path);
    const asset = { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
    loaded.set(file, asset);
    return asset;
  };
  return route({
    method: 'GET',
    path: '/assets/:file',
    consumer: 'Pages',
    summary: 'Style sheets and scripts of the pages.',
    allow: 'public',
    params: Type.Object({ file: Type.String({ maxLength: 64 }) }),
    reply: { 200: Type.Unsafe<string>({ type: 'string', contentMediaType: 'text/css' }) },
    refuses: ['route-unknown'],
    handle: ({ params: { file } }) => {
      if (!Object.hasOwn(ASSETS, file)) throw new HostRefusal('route-unknown');
      const [path, mediaType] = ASSETS[file]!;
      const { bytes, etag } = loaded.get(file) ?? load(file, path);
      return answer(bytes, { mediaType, headers: { ETag: etag, 'Cache-Control': 'public, max-age=300' } });
    },
  });
}

const card = ([path, purpose]: readonly [string, string]) =>
  `<li><a href="${path}"><strong>${path}</strong>${escapeHtml(purpose)}</a></li>`;

const homePage = (version: string): string =>
  htmlPage(
    'Gatehouse',
    `<main>
<h1>Gatehouse</h1>
<p>This host runs plugins of many publishers in isolates, each with the capabilities that its operator granted, and
nothing else.</p>
<ul class="cards">${Object.values(LINKS).map(card).join('')}</ul>
<h2>Call an installed plugin</h2>
<pre><code>curl -H "Authorization: Bearer $TOKEN" http://this-host/run/&lt;operator&gt;/&lt;installation&gt;/</code></pre>
<h2>Write a plugin</h2>
<pre><code>npm run gate -- init my-plugin
npm run gate -- dev my-plugin</code></pre>
<p class="quiet">Gatehouse ${escapeHtml(version)}</p>
</main>`,
  );

const docsPage = (): string =>
  htmlPage(
    'Gatehouse: interface',
    '<div id="docs"></div>\n<script src="/assets/swagger-ui-bundle.js"></script>\n<script src="/assets/start-docs.js"></script>',
    '/assets/swagger-ui.css',
  );

const problemsPage = (): string =>
  htmlPage(
    'Gatehouse: error codes',
    `<main>
<h1>Error codes</h1>
<p>Codes are permanent: programs may rely on them. Codes without a status are met by plugins only.</p>
<table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead><tbody>
${errorTable()
  .map(
    ({ code, status, title }) =>
      `<tr><td><a href="/problems/${code}"><code>${code}</code></a></td><td>${status ?? ''}</td><td>${prose(title)}</td></tr>`,
  )
  .join('\n')}
</tbody></table>
</main>`,
  );

const problemPage = (row: ErrorRow): string =>
  htmlPage(
    `Gatehouse: ${row.code}`,
    `<main>
<p class="quiet">${row.status === null ? 'Met by plugins only' : `Status ${row.status}`}</p>
<h1>${row.code}</h1>
<p>${prose(row.title)}</p>
<h2>What to do</h2>
<p>${prose(adviceFor(row))}</p>
<p><a href="/problems">Every error code</a></p>
</main>`,
  );
