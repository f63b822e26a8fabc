import { expect } from 'chai';
import { missingLine, projectsOf, readPage } from './read-page.ts';

const PAGE = `# Title

\`\`\`sh background
gate dev
\`\`\`

## One

\`\`\`ts file=src/a.ts
let a;

\`\`\`

## Two

\`\`\`json file=gatehouse.json
{}
\`\`\`
\`\`\`sh skip="needs a terminal"
gate login
\`\`\`
`;

describe('readPage', () => {
  it('finds every block with its attributes, section and line', () => {
    const blocks = readPage(PAGE);
    expect(blocks.map(({ language, section, line }) => [language, section, line])).to.deep.equal([
      ['sh', '', 3],
      ['ts', 'One', 9],
      ['json', 'Two', 16],
      ['sh', 'Two', 19],
    ]);
    expect(blocks[0]!.attributes).to.deep.equal({ background: '' });
    expect(blocks[1]).to.deep.include({ attributes: { file: 'src/a.ts' }, text: 'let a;\n\n' });
    expect(blocks[3]!.attributes).to.deep.equal({ skip: 'needs a terminal' });
    expect(() => readPage('```ts\n')).to.throw('line 1');
  });
  it('makes a project of the files of each section', () => {
    expect([...projectsOf(readPage(PAGE))].map(([name, files]) => [name, [...files.keys()]])).to.deep.equal([
      ['One', ['src/a.ts']],
      ['Two', ['gatehouse.json']],
    ]);
  });
});

describe('missingLine', () => {
  it('names the first line that is not there, in order, with anything for dots', () => {
    expect(missingLine('a … c\nlast', 'x\na b c\ny\nlast\n')).to.equal(null);
    expect(missingLine('last\na … c', 'a b c\nlast\n')).to.equal('a … c');
    expect(missingLine('a.c', 'abc')).to.equal('a.c');
  });
});
