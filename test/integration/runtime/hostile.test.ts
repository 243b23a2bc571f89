import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Report, reportSchema } from '../../../src/telemetry/report-schema.ts';
import { coxswain, PROJECT } from '../../support/coxswain.ts';
import { obtainSampleFolder } from '../../support/sample-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-hostile-'));
let samples = '';
let silent: Server;

beforeAll(async () => {
  samples = obtainSampleFolder();
  // A broker that accepts connections and never says a word.
  silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  silent.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Manifest {
  root: string;
  models: Record<string, object>;
  languageModels: Record<string, object>;
}
interface Config {
  sources: Record<string, object>;
  pipelines: Record<string, object>;
  actions?: object;
  http?: object;
  mqtt: object;
  scheduler?: object;
}

/** The sample manifest and the cockpit, changed by the test and written to its folder. */
function writeConfig(change: (manifest: Manifest, config: Config) => void): string {
  const manifest: Manifest = parse(readFileSync(join(PROJECT, 'configs/models.yaml'), 'utf8'));
  const config: Config = parse(readFileSync(join(PROJECT, 'configs/cockpit.yaml'), 'utf8').replaceAll('../.cache', samples));
  manifest.root = join(samples, 'models');
  // What words may do has tests of its own.
  manifest.languageModels = {};
  delete config.actions;
  delete config.http;
  delete config.sources.voice;
  delete config.pipelines.assistant;
  config.mqtt = { broker: 'embedded' };
  change(manifest, config);
  writeFileSync(join(folder, 'models.yaml'), stringify(manifest));
  writeFileSync(join(folder, 'config.yaml'), stringify(config));
  return join(folder, 'config.yaml');
}

async function run(config: string): Promise<Report> {
  const file = join(folder, 'report.json');
  const process = coxswain(['run', config, '--plain', '--for', '5s', '--report', file]);
  expect(await process.ended, process.text()).toBe(0);
  return reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

describe('the runtime among bad models, bad files and a silent broker', () => {
  it('refuses what is bad, says why, and runs the rest', async () => {
    const photos = join(folder, 'photos');
    mkdirSync(photos);
    copyFileSync(join(samples, 'media/front/people-1.jpg'), join(photos, 'a.jpg'));
    writeFileSync(join(photos, 'b.jpg'), readFileSync(join(samples, 'media/front/people-4.jpg')).subarray(0, 20_000));
    const { port } = silent.address() as { port: number };

    const report = await run(
      writeConfig((manifest, config) => {
        const { blazeface, mlsd } = manifest.models;
        manifest.models.blazeface = { ...blazeface, sha256: 'ab'.repeat(32) };
        manifest.models.mlsd = { ...mlsd, inputs: [{ name: 'picture', type: 'float32', shape: [1, 512, 512, 4] }] };
        config.sources.front = { kind: 'images', files: photos, fps: 8, width: 768, height: 576 };
        config.scheduler = { busBudget: { pipelinesMb: { objects: 5 } } };
        config.mqtt = { broker: `mqtt://127.0.0.1:${port}`, prefix: 'coxswain' };
      }),
    );

    const refused = report.incidents.filter(({ kind }) => kind === 'model-refused').map(({ message }) => message);
    expect(refused.some((message) => /blazeface.*SHA-256/.test(message))).toBe(true);
    expect(refused.some((message) => /mlsd.*picture/.test(message))).toBe(true);
    const warnings = report.incidents.filter(({ kind }) => kind === 'warning').map(({ message }) => message);
    expect(warnings.filter((message) => message.startsWith('bus budgets are not enforced on cores of device.kind ort'))).toHaveLength(1);
    const jobs = (id: string) => report.streams.find((stream) => stream.id === id)?.jobs;
    expect(jobs('faces')?.done).toBe(0);
    expect(jobs('faces')?.dropped['no-core']).toBeGreaterThan(0);
    expect(jobs('lines')?.done).toBe(0);
    expect(jobs('objects')?.done).toBeGreaterThan(0);
    expect(jobs('objects')?.rejected.corrupt).toBeGreaterThan(5);
    expect(jobs('speech')?.done).toBeGreaterThan(50);
    expect(report.mqtt.published).toBe(0);
  });
});
