#!/usr/bin/env -S node --min-semi-space-size=8 --max-semi-space-size=8 --heap-growing-percent=50 --expose-gc --disable-warning=ExperimentalWarning
import { loadProgram } from './load-program.ts';

const { main } = await loadProgram('host/command-line.ts', () => import('../host/command-line.ts'));
process.exitCode = await main(process.argv.slice(2));
