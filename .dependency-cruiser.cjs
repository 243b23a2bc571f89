/**
 * Imports point down to core. `allowed` is the whole table: a folder that is not named here may not be created, and a pair that is not named here may not
 * be imported. test/tidy.test.ts holds ARCHITECTURE.md to this list.
 */
const allowed = {
  core: [],
  config: ['core'],
  native: ['core'],
  mqtt: ['core'],
  sources: ['core'],
  pipeline: ['core'],
  scheduler: ['core'],
  bench: ['core', 'scheduler', 'devices', 'models', 'runtime'],
  devices: ['core', 'native', 'models'],
  models: ['core'],
  telemetry: ['core'],
  sinks: ['core', 'mqtt', 'telemetry'],
  runtime: ['core', 'config', 'native', 'mqtt', 'sources', 'pipeline', 'scheduler', 'devices', 'models', 'telemetry', 'sinks'],
  cli: ['core', 'config', 'native', 'telemetry', 'runtime', 'bench'],
};

/** A package that one folder alone may know, its types included. */
const owners = {
  '@bufbuild/protobuf': '^src/models/onnx-graph/',
  '@huggingface/(tokenizers|jinja)': '^src/models/language/',
  koffi: '^src/native/',
  'onnxruntime-(node|common)': '^src/devices/ort/',
  mqtt: '^src/mqtt/',
  aedes: '^src/mqtt/',
  yaml: '^src/config/',
  commander: '^src/cli/',
  sharp: '^src/(models|sources|runtime/media)/',
  rxjs: '^src/(core/rx\\.ts|sources|pipeline|telemetry|sinks|runtime)',
};

const folders = Object.keys(allowed);

module.exports = {
  forbidden: [
    ...folders.map((folder) => ({
      name: `${folder}-imports-only-what-it-may`,
      comment: `src/${folder} may import ${allowed[folder].join(', ') || 'nothing'} and itself`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: '^src/', pathNot: [folder, ...allowed[folder]].map((name) => `^src/${name}/`) },
    })),
    ...Object.entries(owners).map(([name, path]) => ({
      name: `only-its-owner-knows-${name.replace(/[^a-z]+/g, '-')}`,
      severity: 'error',
      from: { path: '^src/', pathNot: path },
      to: { path: `node_modules/${name}/` },
    })),
    {
      name: 'adapters-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/devices/([^/]+)/' },
      to: { path: '^src/devices/[^/]+/', pathNot: '^src/devices/$1/' },
    },
    {
      name: 'every-folder-is-in-the-table',
      severity: 'error',
      from: { path: '^src/', pathNot: [...folders.map((name) => `^src/${name}/`), '^src/index\\.ts$'] },
      to: {},
    },
    { name: 'scheduler-is-pure', severity: 'error', from: { path: '^src/scheduler/' }, to: { dependencyTypes: ['core', 'npm'] } },
    { name: 'source-needs-no-development-package', severity: 'error', from: { path: '^src/' }, to: { dependencyTypes: ['npm-dev'] } },
    { name: 'source-knows-no-test', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|tools)/' } },
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved-import', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
