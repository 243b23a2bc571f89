import { basename, extname } from 'node:path';
import { CURVE_OPS, NUMBER_TYPES } from '../core/layer-cost.ts';
import type { CoreKind, FigureOrigin, SocProfile } from '../core/soc-profile.ts';
import { checkSchema } from './check-schema.ts';
import type { ConfigFiles } from './config-files.ts';
import { deepFreeze } from './deep-freeze.ts';
import { nearest } from './nearest.ts';
import { configInvalid, type KeyPath, keyText, type Problem, quoted } from './problem.ts';
import { LAYER_US, type SocSection, SPLIT_US, socSchema } from './soc-schema.ts';
import { parseYaml, YamlDocument } from './yaml-document.ts';

/** The longest shipped profile has 6 kB. */
const FILE_BYTES_MAX = 65_536;

/**
 * Reads the profile of a chip, turns it into SI units and freezes it. Its id is the name of the file.
 * Errors: FILE_UNREADABLE; CONFIG_INVALID with one line `file:line:column: key: text` per problem.
 */
export function loadSoc(file: string, { files }: { readonly files: ConfigFiles }): SocProfile {
  const document = parseYaml(file, files.read(file, FILE_BYTES_MAX));
  if (!(document instanceof YamlDocument)) throw configInvalid(document);
  const problems: Problem[] = [];
  const section = checkSchema(socSchema, document, problems);
  if (section === undefined) throw configInvalid(problems);
  const refuse = (path: KeyPath, text: string): void => {
    problems.push(document.problem(path, text));
  };
  crossCheck(section, refuse);
  const origins = originsOf(section, refuse);
  if (problems.length > 0) throw configInvalid(problems);
  return deepFreeze(convert(basename(file, extname(file)), section, origins));
}

type Refuse = (path: KeyPath, text: string) => void;

function crossCheck(section: SocSection, refuse: Refuse): void {
  const { kind, others, thermal, power, modes, sources } = section;
  const kinds: readonly (readonly [KeyPath, SocSection['others'][string]])[] = [
    [[], section],
    ...Object.entries(others).map(([name, other]) => [['others', name], other] as const),
  ];
  for (const [path, { addressWindowMb, addressWindows }] of kinds)
    if (addressWindows !== undefined && addressWindowMb === undefined)
      refuse([...path, 'addressWindows'], 'stands without addressWindowMb, the size of each; add it');
  for (const [name, { as, times }] of Object.entries(sources))
    if (times !== undefined && as === undefined)
      refuse(['sources', name, 'times'], 'stands without `as`, the profile whose figures are meant; add it');
  if (Object.hasOwn(others, kind)) refuse(['others', kind], `the first kind is called ${kind} already; take another name`);
  if (Object.keys(modes).length === 0) refuse(['modes'], 'got no mode; allowed is at least one, the first of which is the default');
  for (const [mode, { watts }] of Object.entries(modes)) {
    const idleW = power.idleW.value;
    if (watts.value <= idleW)
      refuse(['modes', mode, 'watts', 'value'], `got ${watts.value}; allowed is more than idleW (${idleW}), else no clock is low enough`);
  }
  const { throttleC, resumeC, ambientC } = thermal;
  if (resumeC.value >= throttleC.value)
    refuse(['thermal', 'resumeC', 'value'], `got ${resumeC.value}; allowed is less than throttleC (${throttleC.value})`);
  if (ambientC.value >= resumeC.value)
    refuse(
      ['thermal', 'ambientC', 'value'],
      `got ${ambientC.value}; allowed is less than resumeC (${resumeC.value}), else it never cools down`,
    );
  for (const key of ['macPicojoules', 'dramPicojoulesPerBit'] as const) {
    const { low, high } = power[key];
    if (high < low) refuse(['power', key, 'high'], `got ${high}; allowed is low (${low}) or more`);
  }
}

/** Every figure with the text behind its `from`; names that no source has are refused. */
function originsOf(section: SocSection, refuse: Refuse): FigureOrigin[] {
  const names = Object.keys(section.sources);
  const origins: FigureOrigin[] = [];
  const walk = (value: unknown, path: KeyPath): void => {
    if (typeof value !== 'object' || value === null) return;
    const { from } = value as { readonly from?: unknown };
    if (typeof from === 'string') {
      const source = Object.hasOwn(section.sources, from) ? section.sources[from] : undefined;
      const meant = nearest(from, names);
      if (source !== undefined) {
        const { text, confidence, as: profile, times = 1 } = source;
        origins.push({ key: keyText(path), from, source: text, confidence, ...(profile === undefined ? {} : { as: { profile, times } }) });
      } else
        refuse(
          [...path, 'from'],
          `got ${quoted(from)}, which is no source; given are ${names.join(', ')}${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
        );
      return;
    }
    for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
  };
  const { sources: _, ...figures } = section;
  walk(figures, []);
  return origins;
}

function convert(id: string, section: SocSection, origins: readonly FigureOrigin[]): SocProfile {
  const { dram, power, thermal, host } = section;
  const perByte = ({ low, high }: { readonly low: number; readonly high: number }) => ({ low: low * 8, high: high * 8 });
  return {
    id,
    name: section.name,
    class: section.class,
    about: section.about,
    ...convertKind(section.kind, section),
    others: Object.entries(section.others).map(([kind, other]) => convertKind(kind, other)),
    dram: {
      bytesPerSecond: dram.bandwidthGbs.value * 1e9,
      efficiencyRatio: dram.efficiencyRatio.value,
      memoryBytes: dram.memoryGb.value * 1e9,
    },
    power: {
      idleW: power.idleW.value,
      macPicojoules: { low: power.macPicojoules.low, high: power.macPicojoules.high },
      dramPicojoulesPerByte: perByte(power.dramPicojoulesPerBit),
    },
    thermal: {
      ambientC: thermal.ambientC.value,
      dieJoulesPerK: thermal.dieJoulesPerK.value,
      dieToCaseKPerW: thermal.dieToCaseKPerW.value,
      caseJoulesPerK: thermal.caseJoulesPerK.value,
      caseToAmbientKPerW: thermal.caseToAmbientKPerW.value,
      throttleC: thermal.throttleC.value,
      resumeC: thermal.resumeC.value,
      throttledRatio: thermal.throttledRatio.value,
    },
    modes: Object.entries(section.modes).map(([mode, { watts, clockRatio, bandwidthRatio }]) => ({
      id: mode,
      watts: watts.value,
      clockRatio: clockRatio.value,
      bandwidthRatio: bandwidthRatio.value,
    })),
    host: { prepareUs: host.prepareUs.value, decodeUs: host.decodeUs.value },
    besideOpsPerSecond: (section.besideTops?.value ?? 0) * 1e12,
    knownAs: section.knownAs,
    origins,
  };
}

function convertKind(kind: string, section: SocSection['others'][string]): CoreKind {
  const { core, clusters, coresPerCluster, localMemoryMb, weightsStay, stayLayersMax, addressWindowMb, addressWindows } = section;
  const opsPerSecond = Object.fromEntries(
    NUMBER_TYPES.flatMap((type) => {
      const tops = core.tops[type];
      return tops === undefined ? [] : [[type, tops.value * 1e12]];
    }),
  );
  const { m, n, k, groups = n } = core.array;
  return {
    kind,
    clusterCount: clusters.value,
    coresPerCluster: coresPerCluster.value,
    core: {
      opsPerSecond,
      array: { m, n, k, groups },
      vectorOpsPerSecond: core.vectorGops.value * 1e9,
      computeRatio: core.computeRatio.value,
      ...(core.promptRatio === undefined ? {} : { promptRatio: core.promptRatio.value }),
      curveOps: core.curveOps?.value ?? CURVE_OPS,
      dispatchUs: core.dispatchUs.value,
      ...(core.floatDispatchUs === undefined ? {} : { floatDispatchUs: core.floatDispatchUs.value }),
      layerUs: core.layerUs?.value ?? LAYER_US,
      splitUs: core.splitUs?.value ?? SPLIT_US,
      layerShareRatio: core.layerShareRatio?.value ?? 1,
    },
    localMemoryBytes: localMemoryMb.value * 2 ** 20,
    doWeightsStay: weightsStay,
    stayLayersMax: stayLayersMax?.value ?? Number.MAX_SAFE_INTEGER,
    addressWindowBytes: addressWindowMb === undefined ? undefined : addressWindowMb.value * 2 ** 20,
    addressWindows: addressWindows?.value,
  };
}
