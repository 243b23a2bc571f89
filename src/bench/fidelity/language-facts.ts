import { type CsvProblem, csvInvalid } from '../../core/csv-table.ts';
import type { LayerCost } from '../../core/layer-cost.ts';
import { createLanguageModel, type LanguageModel } from '../../models/language/language-model.ts';
import type { LanguageModelShape } from '../../models/language/model-shape.ts';
import { namedSize, nameKey, nameKeys } from './model-name.ts';
import { readQuotedCsv } from './quoted-csv.ts';
import { RowCells } from './row-cells.ts';

/** Shapes of language models by the names that tables use. */
export interface LanguageFacts {
  readonly byKey: ReadonlyMap<string, NamedShape>;
  readonly all: readonly NamedShape[];
}

interface NamedShape {
  readonly name: string;
  /** Without the width of its numbers. */
  readonly shape: Omit<LanguageModelShape, 'bits' | 'kvBits'>;
  readonly source: string;
}

/** Errors: CONFIG_INVALID. */
export function readLanguageFacts(file: string, text: string): LanguageFacts {
  const problems: CsvProblem[] = [];
  const byKey = new Map<string, NamedShape>();
  const all: NamedShape[] = [];
  for (const { line, cells } of readQuotedCsv(file, text).rows) {
    const row = new RowCells(cells);
    const [
      layers = 0,
      hidden = 0,
      intermediate = 0,
      matrices = 0,
      heads = 0,
      kvHeads = 0,
      headSize = 0,
      vocabulary = 0,
      count = 0,
      active = 0,
    ] = [
      ...['layers', 'hidden', 'ffn', 'matrices', 'heads', 'kv_heads', 'head_dim', 'vocab', 'experts', 'active'].map((column) =>
        row.count(column, 0),
      ),
    ];
    const shape: NamedShape['shape'] = {
      ...{ layers, hidden, heads, kvHeads, headSize, intermediate, vocabulary, experts: { count, active } },
      ...{ feedForward: matrices === 2 ? 'plain' : 'gated', tiedEmbedding: row.text('tied_embedding') === 'true' },
    };
    const named = { name: row.name('model'), shape, source: row.text('source') };
    for (const text of row.problems) problems.push({ line, text });
    all.push(named);
    for (const name of [named.name, ...row.text('aliases').split('|')]) if (name !== '') byKey.set(nameKey(name), named);
  }
  if (problems.length > 0) throw csvInvalid(file, problems);
  return { byKey, all };
}

/** A model that rows of a table run, at some width of its weights. */
export interface KnownLanguageModel {
  readonly decodeLayers: (batch: number, past: number) => readonly LayerCost[];
  readonly prefillLayers: (tokens: number, past: number) => readonly LayerCost[];
  /** What all weights occupy, and one token of context. */
  readonly weightBytes: number;
  readonly kvBytesPerToken: number;
  /** Where its shape is from, as a clause. */
  readonly told: string;
  /** The shape is that of another model of about the size that the name tells. */
  readonly isBySize: boolean;
}

/** Keys and values are kept in 16 bits unless a runtime says otherwise, and no table does. */
const KV_BITS = 16;

/** Undefined for a name that is neither known nor tells a size. */
export function languageModelBy(facts: LanguageFacts, name: string, bits: number): KnownLanguageModel | undefined {
  for (const key of nameKeys(name)) {
    const known = facts.byKey.get(key);
    if (known === undefined) continue;
    const model = createLanguageModel({ ...known.shape, bits, kvBits: KV_BITS });
    return { ...model, told: `the shape of ${known.name}`, isBySize: false };
  }
  const size = namedSize(name);
  if (size === undefined) return undefined;
  const used = (size.active ?? size.total) * 1e9;
  const models = facts.all
    .filter(({ shape }) => shape.experts?.count === 1)
    .map(({ name: nearName, shape }) => ({ name: nearName, model: createLanguageModel({ ...shape, bits, kvBits: KV_BITS }) }));
  const near = models.reduce<{ name: string; model: LanguageModel } | undefined>(
    (best, candidate) => (best === undefined || distance(candidate.model, used) < distance(best.model, used) ? candidate : best),
    undefined,
  );
  if (near === undefined) return undefined;
  // What a token reads; of a model with two tables that is less than all.
  const ratio = used / (near.model.decodeLayers(1, 0).reduce((sum, { weightBytes }) => sum + weightBytes, 0) / (bits / 8));
  const billions = Number((used / 1e9).toPrecision(3));
  return {
    decodeLayers: (batch, past) => near.model.decodeLayers(batch, past).map((layer) => widened(layer, ratio)),
    prefillLayers: (tokens, past) => near.model.prefillLayers(tokens, past).map((layer) => widened(layer, ratio)),
    weightBytes: (size.total * 1e9 * bits) / 8,
    kvBytesPerToken: near.model.kvBytesPerToken,
    told: `its name alone: ${near.name} made ${billions} B parameters wide`,
    isBySize: true,
  };
}

const distance = (model: LanguageModel, parameters: number): number => Math.abs(Math.log(model.parameters / parameters));

/** More columns of the same rows and terms. */
function widened(layer: LayerCost, ratio: number): LayerCost {
  if (layer.weightBytes === 0) return layer;
  return {
    ...layer,
    n: layer.n * ratio,
    macs: layer.macs * ratio,
    weightBytes: layer.weightBytes * ratio,
    outputBytes: layer.outputBytes * ratio,
  };
}

/** Bits of a weight with its share of the scales, by the words of tables; undefined for words that say no width. */
export function weightBitsOf(quantisation: string): number | undefined {
  const text = quantisation.toLowerCase();
  const groups = /g(\d{2,4})/.exec(text)?.[1];
  // One 16-bit scale for each group of weights, or for each column, which is nothing.
  const grouped = groups === undefined ? 0 : 16 / Number(groups);
  if (/nvfp4/.test(text)) return 4.5;
  if (/mxfp4/.test(text)) return 4.25;
  const plain = /w(\d{1,2})a\d/.exec(text)?.[1];
  if (plain !== undefined) return widthOf(Number(plain), grouped);
  const file = /q(\d)(?:_(0|1|k))?/.exec(text);
  if (file !== null && !/^int/.test(text)) return widthOf(Number(file[1]), file[2] === '1' ? 1 : 0.5);
  // AWQ, GPTQ and their like: groups of 128 with a 16-bit scale.
  const integer = /(?:int|i|u)(\d{1,2})/.exec(text)?.[1];
  if (integer !== undefined) return widthOf(Number(integer), groups === undefined && Number(integer) < 8 ? 16 / 128 : grouped);
  const float = /(?:bf|fp|float|f)(\d{1,2})/.exec(text)?.[1];
  if (float !== undefined) return widthOf(Number(float), 0);
  return /awq|gptq/.test(text) ? 4 + 16 / 128 : undefined;
}

const widthOf = (bits: number, scales: number): number | undefined => (bits >= 1 && bits <= 32 ? bits + scales : undefined);
