import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './peers.ts';

export interface Mosquitto {
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** A folder that mosquitto may read also after it gave up root. */
export function brokerFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coxswain-mosquitto-'));
  chmodSync(folder, 0o755);
  return folder;
}

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** Starts mosquitto with its own configuration and waits until each port answers. */
export async function startMosquitto(folder: string, configuration: readonly string[], ports: readonly number[]): Promise<Mosquitto> {
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(file, `${['persistence false', 'log_dest stderr', ...configuration].join('\n')}\n`);
  const child = spawn('mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  let hasExited = false;
  child.on('exit', () => {
    hasExited = true;
  });
  for (const port of ports) {
    let isOpen = false;
    while (!isOpen) {
      if (hasExited) throw new Error(`mosquitto ended: ${stderr}`);
      isOpen = await canConnect(port);
      if (!isOpen) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return { pid: child.pid, stop: () => stop(child, () => hasExited) };
}

async function stop(child: ChildProcess, hasExited: () => boolean): Promise<void> {
  child.kill('SIGKILL');
  await until('mosquitto has ended', hasExited);
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
