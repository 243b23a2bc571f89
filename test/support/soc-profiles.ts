import type { LayerCost } from '../../src/core/layer-cost.ts';
import type { SocProfile } from '../../src/core/soc-profile.ts';

/** Round numbers: a core does 1e12 int8 multiply-accumulates a second in an array that any size fits, the bus carries 100 GB/s and loses nothing. */
export function twoCores(changes: Partial<SocProfile> = {}): SocProfile {
  return {
    id: 'two-cores',
    name: 'Two cores',
    class: 'edge',
    about: 'For tests.',
    kind: 'npu',
    clusterCount: 1,
    coresPerCluster: 2,
    core: {
      opsPerSecond: { int8: 2e12 },
      array: { m: 1, n: 1, k: 1, groups: 1 },
      vectorOpsPerSecond: 1e12,
      computeRatio: 1,
      curveOps: 4,
      dispatchUs: 0,
      layerUs: 0,
      splitUs: 1,
      layerShareRatio: 1,
    },
    localMemoryBytes: 0,
    doWeightsStay: false,
    stayLayersMax: Number.MAX_SAFE_INTEGER,
    dram: { bytesPerSecond: 100e9, efficiencyRatio: 1, memoryBytes: 16e9 },
    power: { idleW: 1, macPicojoules: { low: 1, high: 3 }, dramPicojoulesPerByte: { low: 40, high: 60 } },
    thermal: {
      ambientC: 25,
      dieJoulesPerK: 1,
      dieToCaseKPerW: 1,
      caseJoulesPerK: 20,
      caseToAmbientKPerW: 2,
      throttleC: 1000,
      resumeC: 900,
      throttledRatio: 0.5,
    },
    modes: [{ id: 'full', watts: 100, clockRatio: 1, bandwidthRatio: 1 }],
    host: { prepareUs: 1000, decodeUs: 500 },
    besideOpsPerSecond: 0,
    knownAs: [],
    origins: [],
    ...changes,
  };
}

/** A layer that computes for `computeUs` on a core of `twoCores` and reads `bytes` of weights. */
export function layer(computeUs: number, bytes: number): LayerCost {
  return {
    ...{ name: 'layer', operator: 'Conv', type: 'int8', inputBytes: 0, outputBytes: 0, elementOps: 0, weightBytes: bytes },
    ...{ macs: computeUs * 1e6, m: computeUs * 1e6, n: 1, k: 1, groups: computeUs === 0 ? 0 : 1 },
  };
}
