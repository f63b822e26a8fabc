import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const run = promisify(execFile);
/** What it asks for when it is first needed, by its place. */
const STAYING = /"(?:file:\/\/)?(\/[^"]*\/node_modules\/[^"]*)"/g;
const packageOf = (file: string): string | undefined => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];

describe('programs', () => {
  for (const program of ['gatehouse', 'gate']) {
    it(`${program} runs as one file, with nothing in it that it also loads from elsewhere`, async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-program-'));
      try {
        const help = async (env: NodeJS.ProcessEnv) =>
          (await run(process.execPath, [path.join(import.meta.dirname, `${program}.ts`), '--help'], { env })).stdout;
        const expected = await help({});
        expect(await help({ NODE_COMPILE_CACHE: folder })).to.equal(expected);
        const file = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.cjs'));
        const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
        const staying = [...read(file!).matchAll(STAYING)].map(([, place]) => packageOf(place!));
        const taken = new Set((JSON.parse(read(`${file}.map`)) as { sources: string[] }).sources.map(packageOf));
        expect(staying).to.include('esbuild');
        expect(taken).to.include('commander');
        expect(staying.filter((name) => taken.has(name))).to.deep.equal([]);
        expect(await help({ NODE_COMPILE_CACHE: folder })).to.equal(expected);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
