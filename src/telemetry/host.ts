import { arch, cpus, platform, release, totalmem } from 'node:os';

/** The machine a run was made on. */
export interface Host {
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly platform: string;
  readonly kernel: string;
}

export function readHost(): Host {
  const processors = cpus();
  return {
    cpuModel: processors[0]?.model.trim() || 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    node: process.versions.node,
    platform: `${platform()}-${arch()}`,
    kernel: release(),
  };
}
