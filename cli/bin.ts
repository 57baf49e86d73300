#!/usr/bin/env node
import { runMain } from '../shared/cli.js';
import { main } from './main.js';

await runMain('ardm', main);
