import { describe, expect, test } from 'vitest';
import { type CheckDeps, check } from '../../../src/cli/commands/check.ts';
import { UsageError } from '../../../src/cli/exit-code.ts';
import type { Warning } from '../../../src/config/lint-config.ts';
import type { RunCostNames } from '../../../src/config/load-run-costs.ts';
import type { ManifestModel, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import type { SocProfile } from '../../../src/core/soc-profile.ts';
import { durationFromMs, durationUs } from '../../../src/core/units.ts';
import type { Checked, CheckRequest } from '../../../src/runtime/check-config.ts';
import type { Fit } from '../../../src/runtime/fit.ts';
import { fakeTerminal, STREAMS } from './cli-fixtures.ts';

describe('check', () => {
  const config = {
    node: 'cockpit',
    origin: { file: '/x/cockpit.yaml', positions: {} },
    device: { kind: 'ort', cores: [{ memoryBytes: 2e9 }, { memoryBytes: 2e9 }] },
    models: [{ id: 'nanodet', costUs: durationFromMs(55) }],
    pipelines: STREAMS.map((stream) => ({ id: stream.id, stream, variants: [] })),
  } as unknown as RuntimeConfig;
  const placement = {
    models: [{ model: 'nanodet', streams: ['objects'], cores: [0, 1], spares: [1], reason: 'safety, least load' }],
    cores: [
      { core: 0, memoryBytes: 180e6, loadRatio: 0.27, streams: ['objects'] },
      { core: 1, memoryBytes: 400e6, loadRatio: 1.59, streams: ['lines', 'evil\u001b[2J'] },
    ],
    problems: [] as string[],
  };
  const [objects] = STREAMS;
  const fit = {
    fits: true,
    assurance: 'look-ahead',
    policy: { name: 'coxswain', isCovered: true },
    streams: [
      {
        id: objects?.id ?? '',
        criticality: 'safety',
        core: 0,
        assurance: 'look-ahead',
        responseUs: 98_000,
        deadlineUs: 125_000,
        costUs: 63_000,
        blockingUs: 5_000,
        toleratesUs: 20_000,
        runUsMax: 48_000,
        costFactorMax: 1.3,
        busBytesPerSecond: 3.2e9,
      },
    ],
    cores: [
      { core: 0, assurance: 'look-ahead', loadRatio: 0.31, factorNeeded: null },
      { core: 1, assurance: 'always', loadRatio: 0, factorNeeded: null },
    ],
    bus: null,
    memory: null,
    outOfWindow: [],
    power: null,
    pipelines: [{ id: objects?.id ?? '', hops: [objects?.id ?? ''], reactionUs: 223_000 }],
    advice: [],
    isCutShort: false,
    notComputed: [],
  } satisfies Fit;
  const checked: Checked = { config, placement, fit, kinds: ['cpu', 'cpu'], told: 'costMs of the manifest' };
  const profile = { id: 'car-500', modes: [{ id: 'w75' }, { id: 'w15' }] } as unknown as SocProfile;
  const asked: CheckRequest[] = [];
  const deps = (changes: Partial<Omit<CheckDeps, 'out'>> = {}) => ({
    out: fakeTerminal(false, 100),
    env: {},
    loadConfig: () => config,
    lintConfig: () => [],
    formatWarning: ({ key, text }: Warning) => `${key}: ${text}`,
    loadSoc: () => profile,
    storedAsOn: () => 'int8' as const,
    costsOf: ({ id }: Pick<ManifestModel, 'id'>, storedAs: string) => ({
      model: id,
      layers: [],
      origin: 'onnx' as const,
      told: `stored as ${storedAs}`,
    }),
    kindNamesOf: (chip: unknown) => [chip === undefined ? 'cpu' : 'npu'],
    loadRunCosts: (file: string, names: RunCostNames) => ({
      file: `${file} ${names.used.join()} ${names.coreKinds.join()}`,
      costOf: () => undefined,
    }),
    checkConfig: (request: CheckRequest) => {
      asked.push(request);
      return checked;
    },
    ...changes,
  });
  const plain = { config: 'x', soc: undefined, mode: undefined, storedAs: undefined, costs: undefined, isJson: false };
  const finding = (changes: Partial<Fit>) => ({ checkConfig: (): Checked => ({ ...checked, fit: { ...fit, ...changes } }) });

  test('prints what is proven of each stream, load, and where each model goes and why', () => {
    const world = deps();
    expect(check(plain, world)).toBe(0);
    expect(world.out.text).toMatch(/objects +safety +look-ahead +98 +125 +63 +125 .*1\.3/);
    expect(world.out.text).toMatch(/0 +31 % +27 % +180 MB +2\.0 GB +objects/);
    expect(world.out.text).toMatch(/1 +0 % +159 % +400 MB +2\.0 GB +lines, evil\\x1b\[2J/);
    expect(world.out.text).toContain('nanodet on core 0, also on 1: safety, least load');
    const steps = { kind: 'blocks', shares: [0.5, 0.5], switchUs: [durationUs(1)] } as const;
    const models = [{ id: 'nanodet', steps }] as unknown as RuntimeConfig['models'];
    const cut = deps({ checkConfig: (): Checked => ({ ...checked, config: { ...checked.config, models } }) });
    check(plain, cut);
    expect(cut.out.text).toContain('nanodet on core 0, also on 1, in 2 blocks: safety, least load');
    expect(world.out.text).toContain('fits: every safety and interactive stream is in time as long as look-ahead');
  });

  test('names conversations that are promised nothing, instead of calling them in time', () => {
    const talk = { ...fit.streams[0], id: 'talk\u001b[2J', criticality: 'interactive', assurance: 'unguarded' } as Fit['streams'][number];
    const rest = { ...talk, id: 'lines', criticality: 'background' } as const;
    const world = deps(finding({ streams: [...fit.streams, talk, rest] }));
    check(plain, world);
    expect(world.out.text).toContain('; nothing is promised of talk\\x1b[2J, which would take a server (scheduler.servers)');
    const quiet = deps(finding({ streams: [...fit.streams, rest] }));
    check(plain, quiet);
    expect(quiet.out.text).not.toContain('nothing is promised');
  });

  test('says what the verdict does not say of: reserved budgets, turns that come alone, frames that a newer one may replace', () => {
    const reserve = { server: 'talk', budgetUs: 40_000, periodUs: 100_000, stepUs: 90_000, firstTokenUs: 400_000, isToken: true };
    const talk = { ...fit.streams[0], id: 'talk', assurance: 'always', responseUs: 400_000, reserve } as Fit['streams'][number];
    const lines = { ...talk, id: 'mlsd', responseUs: null, reserve: { ...reserve, firstTokenUs: null, isToken: false } } as const;
    const slow = { ...fit.streams[0], responseUs: 126_000 } as Fit['streams'][number];
    const world = deps(finding({ streams: [slow, talk, lines] }));
    check(plain, world);
    expect(world.out.text).toContain('; of talk the first token of a turn that comes while no other is under way');
    expect(world.out.text).toContain("; of mlsd only the server's budget is sure");
    expect(world.out.text).toContain('; a frame of objects may be replaced by a newer one, since it may take longer than a period');
    expect(world.out.text).toContain(
      'so a token takes at most 90 ms, and the first of the longest prompt 400 ms if no other turn is under way',
    );
  });

  test('says that no bound is sure where streams are degraded because not all fit', () => {
    const degraded = { ...checked, config: { ...config, modes: { rules: [] } } as unknown as RuntimeConfig };
    const world = deps({ checkConfig: (): Checked => ({ ...degraded, fit: { ...fit, fits: false, assurance: 'none' } }) });
    check(plain, world);
    expect(world.out.text).toContain('until all have one, streams get cheaper variants or are shed, and no bound above is sure');
  });

  test('names the columns that there is no room for', () => {
    const wide = deps();
    wide.out.columns = () => 160;
    check(plain, wide);
    expect(wide.out.text).not.toContain('no room for');
    expect(wide.out.text).toContain('blocked ms');
    const narrow = deps();
    narrow.out.columns = () => 60;
    check(plain, narrow);
    expect(narrow.out.text).toMatch(/no room for .*blocked ms.*reaction ms/);
  });

  test.each([
    [
      'a warning',
      { lintConfig: () => [{ file: 'x', position: { line: 1, column: 1 }, key: 'a.b', text: 'too short' }] },
      'warning: a.b: too short',
    ],
    [
      'a problem of the placement',
      { checkConfig: (): Checked => ({ ...checked, placement: { ...placement, problems: ['core 0 is full'] } }) },
      'problem: core 0 is full',
    ],
    [
      'a stream that does not fit',
      finding({ fits: false, assurance: 'none', advice: ['core 0: make objects cheaper'] }),
      'does not fit: not every stream has a bound within its deadline\ncore 0: make objects cheaper',
    ],
    [
      'a policy that nothing is known of',
      finding({ fits: false, assurance: 'none', policy: { name: 'fifo', isCovered: false }, advice: ['policy fifo: ...'] }),
      'not proven: the analysis does not cover the policy\npolicy fifo: ...',
    ],
  ])('exits 1 for %s', (_, changes, text) => {
    const world = deps(changes);
    expect(check(plain, world)).toBe(1);
    expect(world.out.text).toContain(text);
  });

  test('prints one JSON document with --json', () => {
    const world = deps();
    check({ ...plain, isJson: true }, world);
    expect(JSON.parse(world.out.text)).toMatchObject({
      node: 'cockpit',
      warnings: [],
      placement: { cores: [{ core: 0 }, { core: 1 }] },
      fit: { fits: true, streams: [{ id: 'objects', responseUs: 98_000 }] },
    });
  });

  test('asks for the chip in its mode, with what every model that is used costs there', () => {
    const world = deps();
    expect(check({ ...plain, soc: 'car-500', mode: 'w15', storedAs: 'fp16' }, world)).toBe(0);
    const request = asked.at(-1);
    expect(request?.chip).toEqual({ profile, mode: { id: 'w15' } });
    expect(request?.costs).toMatchObject([{ model: 'nanodet', told: 'stored as fp16' }]);
    expect(world.out.text).toContain('nanodet: stored as fp16\n');
    expect(() => check({ ...plain, soc: 'car-500', mode: 'w99' }, world)).toThrow(UsageError);
  });

  test('takes a table of costs instead, also on a chip', () => {
    check({ ...plain, costs: 'a.csv' }, deps());
    expect(asked.at(-1)).toMatchObject({ table: { file: 'a.csv nanodet,blazeface,silero-vad,mlsd cpu' } });
    check({ ...plain, costs: 'a.csv', soc: 'car-500' }, deps());
    expect(asked.at(-1)).toMatchObject({ table: { file: 'a.csv nanodet,blazeface,silero-vad,mlsd npu' }, chip: { mode: { id: 'w75' } } });
    expect(asked.at(-1)?.costs).toBeUndefined();
  });

  test('says what does not fit where every stream has a bound', () => {
    const misfit = { model: 'nanodet', core: 0, neededBytes: 4.8e9, haveBytes: 3.2e9 };
    const window = deps(finding({ fits: false, outOfWindow: [misfit] }));
    expect(check(plain, window)).toBe(1);
    expect(window.out.text).toContain('does not fit: a core cannot address all of a model that is placed on it');
    const memory = deps(finding({ fits: false, memory: { neededBytes: 5e9, haveBytes: 4e9, fits: false } }));
    expect(check(plain, memory)).toBe(1);
    expect(memory.out.text).toContain('does not fit: memory has no room for all models');
  });

  test('tells the bus and the memory of a chip', () => {
    const bus = {
      ...{ usableBytesPerSecond: 232e9, guaranteedBytesPerSecond: 88e9, guaranteedRatio: 0.379, budgetedBytesPerSecond: 0 },
      ...{ demandedBytesPerSecond: 116e9, demandedRatio: 0.5, fits: true },
    };
    const world = deps(finding({ bus, memory: { neededBytes: 4.7e9, haveBytes: 32e9, fits: true } }));
    expect(check(plain, world)).toBe(0);
    expect(world.out.text).toContain('bus     88 GB/s (38 %) guaranteed, 116 GB/s (50 %) with background work, of 232 GB/s usable');
    expect(world.out.text).toContain('memory  4.7 GB of models in 32.0 GB');
  });
});
