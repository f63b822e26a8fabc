import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Plugin } from 'esbuild';
import { loadBundler, ROOT } from '../kept-build.ts';

/** What makes parts, as one of the inputs of a build. */
export const BUILDER = path.relative(ROOT, import.meta.filename);
const PARTS_FILE = /[/\\]guest[/\\]load-parts\.ts$/;
const MAKER = `import { makePart } from './parts.ts';\n`;
const DYNAMIC_IMPORT = /import\('(\.[^']+)'\)/g;
const NAMED_IMPORT = /^import \{([^}]*)\} from "([^"]+)";\n/gm;
/** What esbuild's own prelude, and that of packages, takes from the engine; a plugin may have replaced it by the time a part is run. */
const PRELUDE = /^var (\w+) = (Object\.[\w.]+);\n/gm;
const EXPORTS = /^export \{([^}]*)\};\s*$/m;

/** A function expression; called with `values`, names of the core, it gives the exports of the part. */
interface BuiltPart {
  /** Makes the values; belongs before all code of the core. */
  head: string;
  values: string[];
  text: string;
  inputs: string[];
}

/**
 * Makes each `import('./part/index.ts')` of load-parts.ts a call of `makePart`, which compiles the part from its piece of `text()`: an
 * isolate that never asks for the part has nothing of it. A part consists of files in one folder beside load-parts.ts, and of packages;
 * whatever else it imports is the core's own, already there and captured before plugin code ran, and has the value that it has when the
 * part is made. Files that two parts of a folder import are in both. `footer` ends each piece. `text()` is there once the build is, and so are
 * the files that were read for it, relative to `ROOT`.
 */
export function collectParts(footer: string): { plugin: Plugin; text(): string; inputs(): string[] } {
  let text = '';
  let inputs: string[] = [];
  const replaceImports = async (source: string, resolveDir: string): Promise<string> => {
    const found = [...new Set([...source.matchAll(DYNAMIC_IMPORT)].map(([, target]) => target!))];
    const parts = await Promise.all(
      found.map((target, at) => {
        const folder = path.join(resolveDir, target.split('/')[1]!);
        return bundlePart(path.resolve(resolveDir, target), `part${at}`, folder);
      }),
    );
    text = '';
    inputs = parts.flatMap((part) => part.inputs);
    const calls = parts.map((part) => {
      const from = text.length;
      text += `${part.text}\n${footer}\n`;
      return `makePart(${[from, text.length, ...part.values].join(', ')})`;
    });
    const called = source.replace(DYNAMIC_IMPORT, (_, target: string) => calls[found.indexOf(target)]!);
    return MAKER + parts.map(({ head }) => head).join('') + called;
  };
  const setup: Plugin['setup'] = ({ onLoad }) => {
    onLoad({ filter: PARTS_FILE }, async ({ path: file }) => {
      const resolveDir = path.dirname(file);
      const contents = await replaceImports(await readFile(file, 'utf8'), resolveDir);
      return { contents, loader: 'ts', resolveDir };
    });
  };
  return { plugin: { name: 'parts', setup }, text: () => text, inputs: () => inputs };
}

/** `name` is what the names of its values begin with. */
async function bundlePart(entry: string, name: string, folder: string): Promise<BuiltPart> {
  const { build } = await loadBundler();
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    plugins: [{ name: 'core', setup: (partBuild) => keepCoreOutside(partBuild, folder) }],
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  let head = '';
  const locals: string[] = [];
  const lift = (local: string, declare: (lifted: string) => string): void => {
    head += declare(`${name}_${local}`);
    locals.push(local);
  };
  const code = outputFiles[0]!.text
    .replace(PRELUDE, (_, local: string, value: string) => {
      lift(local, (lifted) => `const ${lifted} = ${value};\n`);
      return '';
    })
    .replace(NAMED_IMPORT, (_, names: string, from: string) => {
      for (const each of names.split(',')) {
        const [imported, local = imported] = each.trim().split(' as ');
        lift(local!, (lifted) => `import { ${imported} as ${lifted} } from ${JSON.stringify(from)};\n`);
      }
      return '';
    })
    .replace(EXPORTS, (_, names: string) => {
      const fields = names.split(',').map((each) => {
        const [local, exported = local] = each.trim().split(' as ');
        return `${exported}: ${local}`;
      });
      return `return { __proto__: null, ${fields.join(', ')} };\n`;
    });
  if (/^(import|export) /m.test(code)) throw new Error(`${entry}: a part has named imports and exports only`);
  const values = locals.map((local) => `${name}_${local}`);
  return { head, values, text: await minify(locals, code), inputs: Object.keys(metafile.inputs) };
}

/** Assigned, for a function that nobody takes would be left out. */
async function minify(parameters: string[], body: string): Promise<string> {
  const source = `part = function (${parameters.join(', ')}) {\n${body}};`;
  const { transform } = await loadBundler();
  const { code } = await transform(source, { target: 'es2024', minify: true, legalComments: 'none' });
  return `"use strict";(${code.trim().replace(/^part=|;$/g, '')})`;
}

function keepCoreOutside({ onResolve }: Parameters<Plugin['setup']>[0], folder: string): void {
  onResolve({ filter: /^\./ }, ({ path: target, resolveDir }) => {
    const file = path.resolve(resolveDir, target);
    const isOwn = file.startsWith(folder + path.sep) || file.includes(`${path.sep}node_modules${path.sep}`);
    return isOwn ? null : { path: file, external: true };
  });
}
