import type { OnnxNode } from '../graph.ts';
import type { OperatorRule } from '../operator-call.ts';
import { attentionRules } from './attention.ts';
import { convolutionRules } from './convolution.ts';
import { elementwiseRules } from './elementwise.ts';
import { generationRules } from './generation.ts';
import { matrixRules } from './matrix.ts';
import { movementRules } from './movement.ts';
import { normalizationRules } from './normalization.ts';
import { poolingRules } from './pooling.ts';
import { quantizationRules } from './quantization.ts';
import { recurrentRules } from './recurrent.ts';
import { reductionRules } from './reduction.ts';
import { viewRules } from './views.ts';

/** Every operator that is understood: those of ONNX by name, others by `domain.name`. */
const rules: ReadonlyMap<string, OperatorRule> = new Map(
  [
    attentionRules,
    convolutionRules,
    elementwiseRules,
    generationRules,
    matrixRules,
    movementRules,
    normalizationRules,
    poolingRules,
    quantizationRules,
    recurrentRules,
    reductionRules,
    viewRules,
  ].flatMap((family) => Object.entries(family)),
);

export const operatorName = ({ domain, operator }: OnnxNode): string => (domain === '' ? operator : `${domain}.${operator}`);

export const ruleOf = (node: OnnxNode): OperatorRule | undefined => rules.get(operatorName(node));
