#!/usr/bin/env node
import { loadProgram } from './load-program.ts';

// Stays so where the terminal goes away while a question waits for its answer.
process.exitCode = 1;
const { main } = await loadProgram('plugins-sdk/cli/index.ts', () => import('../plugins-sdk/cli/index.ts'));
void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
