import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const PARTS_FILE = /[/\\]guest[/\\]load-parts\.ts$/;
const DYNAMIC_IMPORT = /import\('(\.[^']+)'\)/g;
const NAMED_IMPORT = /^import \{([^}]*)\} from "([^"]+)";\n/gm;
/** What esbuild's own prelude, and that of packages, takes from the engine; a plugin may have replaced it by the time a part is run. */
const PRELUDE = /^var (\w+) = (Object\.[\w.]+);\n/gm;
const EXPORTS = /^export \{([^}]*)\};\s*$/m;

/**
 * Makes each `import('./part/index.ts')` of load-parts.ts a function in the same script: V8 only skims it until it is called, which
 * costs an isolate the bytes of its text and nothing else. A part consists of files in one folder beside load-parts.ts, and of packages;
 * whatever else it imports is the core's own, already there and captured before plugin code ran. Files that two parts of a folder
 * import are in both.
 */
export const partsPlugin: Plugin = {
  name: 'parts',
  setup({ onLoad }) {
    onLoad({ filter: PARTS_FILE }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const resolveDir = path.dirname(file);
      const found = [...new Set([...source.matchAll(DYNAMIC_IMPORT)].map(([, target]) => target!))];
      const parts = await Promise.all(
        found.map((target, at) => {
          const folder = path.join(resolveDir, target.split('/')[1]!);
          return bundlePart(path.resolve(resolveDir, target), `part${at}`, folder);
        }),
      );
      const called = source.replace(DYNAMIC_IMPORT, (_, target: string) => `part${found.indexOf(target)}()`);
      const heads = parts.map(({ head }) => head).join('');
      const bodies = parts.map(({ body }) => body).join('');
      return { contents: heads + bodies + called, loader: 'ts', resolveDir };
    });
  },
};

/** `head` belongs before all code, `body` declares the function `name`. */
async function bundlePart(entry: string, name: string, folder: string): Promise<{ head: string; body: string }> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
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
  let locals = '';
  const lift = (local: string, declare: (lifted: string) => string): void => {
    const lifted = `${name}_${local}`;
    head += declare(lifted);
    locals += `const ${local} = ${lifted};\n`;
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
  return { head, body: `function ${name}() {\n${locals}${code}}\n` };
}

function keepCoreOutside({ onResolve }: Parameters<Plugin['setup']>[0], folder: string): void {
  onResolve({ filter: /^\./ }, ({ path: target, resolveDir }) => {
    const file = path.resolve(resolveDir, target);
    const isOwn = file.startsWith(folder + path.sep) || file.includes(`${path.sep}node_modules${path.sep}`);
    return isOwn ? null : { path: file, external: true };
  });
}
