#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { main } from '../host/command-line.ts';

process.exitCode = await main(process.argv.slice(2));
