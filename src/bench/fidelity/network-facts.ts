import { type CsvProblem, csvInvalid, quoted } from '../../core/csv-table.ts';
import { CURVE_OPS } from '../../core/layer-cost.ts';
import { NETWORK_STYLES, type NetworkSize, type NetworkStyle } from '../../models/network/described-network.ts';
import type { NetworkWork } from './measurement.ts';
import { nameKey, nameKeys } from './model-name.ts';
import { readQuotedCsv } from './quoted-csv.ts';
import { RowCells } from './row-cells.ts';

/** Sizes of networks by the names that tables use. */
export type NetworkFacts = ReadonlyMap<string, NamedSize>;

interface NamedSize {
  readonly name: string;
  readonly size: NetworkSize;
  /** An input that tables tell of it by mistake. */
  readonly mistold: NetworkWork['input'];
}

/** Activations that are curves. ReLU and its leaky form are done while a result is requantised. */
const CURVES = new Set(['silu', 'gelu', 'mish', 'hswish', 'sigmoid', 'tanh']);
const PLAIN = new Set(['relu', 'leaky', 'none']);

/** Errors: CONFIG_INVALID. */
export function readNetworkFacts(file: string, text: string): NetworkFacts {
  const problems: CsvProblem[] = [];
  const byKey = new Map<string, NamedSize>();
  for (const { line, cells } of readQuotedCsv(file, text).rows) {
    const row = new RowCells(cells);
    const name = row.name('model');
    const [input, mistold] = ['input', 'mistold'].map((column) => row.picture(column, 'hwc')?.size);
    const [gmac, paramsM, results, layers] = ['gmac', 'params_m', 'mresults', 'layers'].map((column) => row.number(column));
    const ops = row.number('ops');
    const depthwise = row.text('mdepthwise') === '0' ? 0 : row.number('mdepthwise');
    const style = NETWORK_STYLES.find((candidate) => candidate === row.text('style'));
    const activation = row.text('activation');
    if (style === undefined) row.problems.push(`style is ${quoted(row.text('style'))}, and must be one of ${NETWORK_STYLES.join(', ')}`);
    if (!CURVES.has(activation) && !PLAIN.has(activation))
      row.problems.push(`activation is ${quoted(activation)}, and must be one of ${[...CURVES, ...PLAIN].join(', ')}`);
    if (mistold === undefined && row.text('mistold') !== '')
      row.problems.push(`mistold is ${quoted(row.text('mistold'))}, and must be empty or an input such as 224x224`);
    if (input === undefined || gmac === undefined || paramsM === undefined) row.problems.push('input, gmac and params_m must be told');
    for (const text of row.problems) problems.push({ line, text });
    const size: NetworkSize = {
      ...{ macs: (gmac ?? 1) * 1e9, parameters: (paramsM ?? 1) * 1e6, ...(input ?? { height: 1, width: 1, channels: 1 }) },
      ...{ style: style ?? 'dense', hasCurves: CURVES.has(activation) },
      ...(results === undefined ? {} : { results: results * 1e6 }),
      ...(depthwise === undefined ? {} : { depthwiseResults: depthwise * 1e6 }),
      ...(layers === undefined ? {} : { layers }),
      ...(ops === undefined ? {} : { opsPerResult: ops }),
      ...(row.text('attention') === 'true' ? { hasAttention: true } : {}),
    };
    for (const alias of [name, ...row.text('aliases').split('|')]) if (alias !== '') byKey.set(nameKey(alias), { name, size, mistold });
  }
  if (problems.length > 0) throw csvInvalid(file, problems);
  return byKey;
}

/** What a row runs, and how that is known. */
export interface KnownNetwork {
  readonly size: NetworkSize;
  readonly style: NetworkStyle;
  /** As a clause. */
  readonly told: string;
  /** Its name in the list; undefined for one that only the row knows. */
  readonly listed?: string;
  /** As the end of a clause, where the list knows the input better than the row. */
  readonly where?: string;
  /** Of the row's input, in those of the list's. */
  readonly pixels: number;
  /** What of the row's input is not counted, as a clause. */
  readonly uncounted?: string;
}

/** Undefined when neither the row nor the list knows how much there is to multiply. */
export function networkBy(facts: NetworkFacts, work: NetworkWork): KnownNetwork | undefined {
  const known = nameKeys(work.model).flatMap((key) => facts.get(key) ?? [])[0];
  const curves = activationOf(work.model);
  if (known !== undefined) {
    const { name, size, mistold } = known;
    const isMistold = mistold !== undefined && work.input?.height === mistold.height && work.input.width === mistold.width;
    const input = isMistold ? undefined : work.input;
    // The same layers on more or fewer pixels: what they multiply and put out goes with them, but not where a dense layer or attention holds them.
    const pixels = input === undefined || size.style === 'attention' ? 1 : (input.height * input.width) / (size.height * size.width);
    const scaled: NetworkSize = {
      ...size,
      ...(pixels === 1 ? {} : input),
      macs: work.macs ?? size.macs * pixels,
      parameters: work.parameters ?? size.parameters,
      ...(size.results === undefined ? {} : { results: size.results * pixels }),
      ...(size.depthwiseResults === undefined ? {} : { depthwiseResults: size.depthwiseResults * pixels }),
      ...(curves === undefined ? {} : { hasCurves: curves, opsPerResult: curves ? 1 + CURVE_OPS : 1 }),
    };
    const own = work.macs === undefined ? 'the size' : "the row's size with the layers";
    const where = isMistold ? ` at ${size.height}x${size.width}, which the row tells wrongly` : '';
    const uncounted = work.macs === undefined && input !== undefined ? uncountedOf(input, size) : undefined;
    return {
      ...{ size: scaled, style: scaled.style ?? 'dense', told: `${own} of ${name}${where}`, listed: name, where, pixels },
      ...(uncounted === undefined ? {} : { uncounted }),
    };
  }
  if (work.macs === undefined) return undefined;
  const input = work.input ?? { height: 224, width: 224, channels: 3 };
  const style = styleOf(work.model, work.macs / (input.height * input.width));
  const size = {
    macs: work.macs,
    parameters: work.parameters ?? Math.sqrt(work.macs) * PARAMETERS_PER_ROOT,
    ...input,
    style,
    hasCurves: curves ?? isCurved(work.model),
  };
  return { size, style, told: `the row's size, taken as a ${style} network by its name`, pixels: 1 };
}

/** What an input would change that the list does not tell. */
function uncountedOf(input: NonNullable<NetworkWork['input']>, { height, width, channels, style }: NetworkSize): string | undefined {
  if (style === 'attention' && (input.height !== height || input.width !== width))
    return `another input of a network with attention is not counted: that of the list, ${height}x${width}, assumed`;
  return input.channels === channels ? undefined : `${input.channels} channels are not counted: those of the list, ${channels}, assumed`;
}

/** ResNet-50, YOLOv8s and MobileNet v2 have 400, 94 and 201: for rows that tell multiply-accumulates alone. */
const PARAMETERS_PER_ROOT = 200;

/** EfficientNet-lite4 has 28 000, the densest of its kind; a U-Net on a MobileNet has 220 000, nearly all of them in ordinary convolutions. */
const DEPTHWISE_MACS_PER_PIXEL_MAX = 60_000;

const styleOf = (name: string, macsPerPixel: number): NetworkStyle => {
  if (/vit|deit|swin|clip|former|petr|transformer|bert|attention|sam|dino/i.test(name)) return 'attention';
  const isDepthwise = /mobile|efficient(net|det)|ghost|mnas|shuffle|lite|fast_depth|osnet|xception|[0-9_]ds\b/i.test(name);
  return isDepthwise && macsPerPixel <= DEPTHWISE_MACS_PER_PIXEL_MAX ? 'depthwise' : 'dense';
};

const isCurved = (name: string): boolean => /yolo(v?5|v?8|v?1\d|x|v?7(?!.tiny))|ppyoloe|efficientnet_b|vit|swin|deit|clip|bert/i.test(name);

/** Where a name tells the activation, the list does not. */
function activationOf(name: string): boolean | undefined {
  if (/[-_](relu6?|leaky)$/i.test(name)) return false;
  return /[-_]silu$/i.test(name) ? true : undefined;
}
