import { join } from 'node:path';
import type { Capability } from '../native/probe.ts';
import type { Finding } from './commands/doctor.ts';
import { formatBytes } from './figures-text.ts';

/** The machine as the checks see it. */
export interface DoctorProbe {
  readonly nodeVersion: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where this package lies. */
  readonly packageFolder: string;
  readonly probeNative: () => readonly Capability[];
  /** Runs a program without a shell; undefined when it does not exist. Never rejects. */
  readonly run: (command: string, args: readonly string[], options?: RunProgramOptions) => Promise<ProgramResult | undefined>;
  /** Names in a folder; empty when there is none. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  /** Undefined when nothing is mounted there. */
  readonly diskRoom: (path: string) => Promise<{ readonly totalBytes: number; readonly freeBytes: number } | undefined>;
}

export interface RunProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const NODE_MIN = [20, 19] as const;
/** The default arena is 64 MB; twice that leaves room for a second runtime. */
const SHM_BYTES_MIN = 128_000_000;

export const createDoctorChecks = (probe: DoctorProbe): readonly (() => Promise<readonly Finding[]>)[] => [
  async () => [checkNode(probe.nodeVersion)],
  async () => probe.probeNative().map(nativeFinding),
  async () => [await checkSharedMemory(probe)],
  async () => [await checkOnnxRuntime(probe), await checkSharp(probe)],
  async () => [await checkSamples(probe)],
  () => Promise.all(PROGRAMS.map((program) => checkProgram(program, probe))),
  async () => [await checkCameras(probe)],
];

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  const wanted = NODE_MIN.join('.');
  return isNew
    ? { name: 'node', status: 'ok', detail: version, fix: '' }
    : { name: 'node', status: 'fail', detail: version, fix: `install Node ${wanted} or newer` };
}

/** Without these no core can be started; the others cost precision, not function. */
const NEEDED: ReadonlySet<Capability['name']> = new Set(['shared-memory', 'futex']);

function nativeFinding({ name, isAvailable, detail, remedy }: Capability): Finding {
  if (isAvailable) return { name, status: 'ok', detail, fix: '' };
  return { name, status: NEEDED.has(name) ? 'fail' : 'warn', detail, fix: remedy };
}

async function checkSharedMemory({ diskRoom }: DoctorProbe): Promise<Finding> {
  const name = '/dev/shm';
  const room = await diskRoom(name);
  if (room === undefined) return { name, status: 'fail', detail: 'not mounted', fix: 'mount a tmpfs at /dev/shm' };
  const detail = `${formatBytes(room.freeBytes)} of ${formatBytes(room.totalBytes)} free`;
  const isEnough = room.freeBytes >= SHM_BYTES_MIN;
  return isEnough
    ? { name, status: 'ok', detail, fix: '' }
    : { name, status: 'warn', detail, fix: 'make it larger (docker run --shm-size=256m), or lower runtime.arenaMb' };
}

/** In a child, since the main process never loads it, and with its telemetry off, as every core process has it. */
async function checkOnnxRuntime({ run, packageFolder, env }: DoctorProbe): Promise<Finding> {
  const name = 'onnxruntime';
  const script = "import('onnxruntime-node').then(o => console.log((o.default ?? o).env.versions.node ?? 'loaded'))";
  const childEnv = { ...env, ORT_DISABLE_TELEMETRY: '1' };
  const result = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: packageFolder, env: childEnv });
  if (result?.code === 0)
    return { name, status: 'ok', detail: `${result.stdout.trim()}, its telemetry off (ORT_DISABLE_TELEMETRY=1)`, fix: '' };
  return { name, status: 'fail', detail: lastLine(result), fix: 'install again with npm ci; it needs glibc on x64 or arm64' };
}

async function checkSharp({ run, packageFolder }: DoctorProbe): Promise<Finding> {
  const name = 'sharp';
  const script = "import('sharp').then(s => console.log(s.default.versions.sharp))";
  const result = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: packageFolder });
  if (result?.code === 0) return { name, status: 'ok', detail: result.stdout.trim(), fix: '' };
  return { name, status: 'fail', detail: lastLine(result), fix: 'install again with npm ci, optional packages included' };
}

/** The line that says what is wrong: Node prints the error first and its version last. */
const lastLine = (result: ProgramResult | undefined): string =>
  result?.stderr.split('\n').find((line) => /error/i.test(line)) ?? `could not be loaded (exit ${result?.code ?? 'unknown'})`;

async function checkSamples({ list, packageFolder }: DoctorProbe): Promise<Finding> {
  const name = 'samples';
  const models = (await list(join(packageFolder, '.cache', 'models'))).filter((file) => file.endsWith('.onnx'));
  return models.length > 0
    ? { name, status: 'ok', detail: `${models.length} sample models in .cache`, fix: '' }
    : {
        name,
        status: 'warn',
        detail: 'no sample models in .cache',
        fix: 'npm start fetches them on first use; not needed with models of your own',
      };
}

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly use: string;
  readonly install: string;
}

const PROGRAMS: readonly Program[] = [
  { command: 'ffmpeg', args: ['-version'], use: 'video files and cameras', install: 'apt install ffmpeg' },
  { command: 'arecord', args: ['--version'], use: 'a live microphone', install: 'apt install alsa-utils' },
  { command: 'mosquitto', args: ['-h'], use: 'an MQTT broker of your own', install: 'apt install mosquitto; broker: embedded needs none' },
];

async function checkProgram({ command, args, use, install }: Program, { run }: DoctorProbe): Promise<Finding> {
  const result = await run(command, args);
  if (result === undefined) return { name: command, status: 'warn', detail: `not installed; it is for ${use}`, fix: install };
  const first = (result.stdout || result.stderr).split('\n')[0] ?? '';
  return { name: command, status: 'ok', detail: first.slice(0, 60), fix: '' };
}

async function checkCameras({ list }: DoctorProbe): Promise<Finding> {
  const videos = (await list('/dev')).filter((file) => /^video\d+$/.test(file)).sort();
  return videos.length > 0
    ? { name: 'cameras', status: 'ok', detail: videos.map((file) => `/dev/${file}`).join(', '), fix: '' }
    : { name: 'cameras', status: 'ok', detail: 'none at /dev/video*; files and folders can be cameras', fix: '' };
}
