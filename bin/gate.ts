#!/usr/bin/env node
import { main } from '../plugins-sdk/cli/index.ts';

// Stays so where the terminal goes away while a question waits for its answer.
process.exitCode = 1;
void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
