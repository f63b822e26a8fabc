#!/usr/bin/env node
import { main } from '../plugins-sdk/cli/index.ts';

process.exitCode = await main(process.argv.slice(2));
