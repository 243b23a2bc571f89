import { byContext, edgeLlm, jetson, rkllm } from './decode-formats.ts';
import { aiHub, hailo, mlperf, rknn, scaling, zhouyi } from './network-formats.ts';
import type { RowFormat } from './row-format.ts';

/** Looked through in this order. */
export const ROW_FORMATS: readonly RowFormat[] = [rkllm, byContext, jetson, edgeLlm, hailo, rknn, aiHub, mlperf, zhouyi, scaling];
