#!/usr/bin/env -S node --min-semi-space-size=32 --max-semi-space-size=32 --heap-growing-percent=50 --disable-warning=ExperimentalWarning
import { main } from '../host/command-line.ts';

process.exitCode = await main(process.argv.slice(2));
