#!/usr/bin/env node
// Stands in for the npm client in tests. FAKE_NPM names a JSON file: { archives: { "name@version": path }, log: path, mode?: string }.
// Every call is appended to the log. Modes: offline, uncached, missing, empty, hang, truncate; without one, archives are delivered.
import { appendFileSync, copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const plan = JSON.parse(readFileSync(process.env.FAKE_NPM ?? '', 'utf8'));
const args = process.argv.slice(2);
appendFileSync(plan.log, `${JSON.stringify(args)}\n`);
const folder = args.find((arg) => arg.startsWith('--pack-destination='))?.slice('--pack-destination='.length) ?? '';
const archive = plan.archives[args[1]];
const fail = (message) => {
  process.stderr.write(`npm error ${message}\n`);
  process.exit(1);
};
const mode = plan.modes?.[args[1]] ?? plan.mode;
if (mode === 'offline') fail('code ENOTFOUND\nnpm error network request to registry failed, reason: getaddrinfo ENOTFOUND');
else if (mode === 'uncached')
  fail('code ENOTCACHED\nnpm error request failed: cache mode is only-if-cached but no cached response is available');
else if (mode === 'missing' || (archive === undefined && mode !== 'hang')) fail(`code E404\nnpm error 404 Not Found - GET ${args[1]}`);
else if (mode === 'hang') {
  writeFileSync(join(folder, 'half.tgz'), 'half');
  appendFileSync(plan.log, '"hanging"\n');
  setInterval(() => undefined, 1_000);
} else if (mode !== 'empty') {
  const target = join(folder, basename(archive));
  copyFileSync(archive, target);
  if (mode === 'truncate') truncateSync(target, 100);
  process.stdout.write('[]\n');
}
