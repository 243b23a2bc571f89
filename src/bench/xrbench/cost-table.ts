import { type CsvProblem, csvInvalid, decimalOf, quoted, readCsv } from '../../core/csv-table.ts';

/** Of one whole-model job on one accelerator. */
export interface JobCost {
  readonly latencyUs: number;
  readonly energyUj: number;
}

/** What every model costs on every accelerator type: hardware, then dataflow, then model. */
export interface CostTable {
  readonly file: string;
  readonly byHardware: ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, JobCost>>>;
}

const COLUMNS = ['hardware', 'dataflow', 'model', 'latency_ms', 'energy_mj'] as const;
/** An hour: beyond, a cost is a mistake of units. */
const LATENCY_MAX_MS = 3_600_000;
const ENERGY_READ_MAX_MJ = 1e9;

/** @param text of a CSV file with one row per hardware, dataflow and model. Errors: CONFIG_INVALID. */
export function readCosts(file: string, text: string): CostTable {
  const byHardware = new Map<string, Map<string, Map<string, JobCost>>>();
  const problems: CsvProblem[] = [];
  const firstLines = new Map<string, number>();
  for (const { line, cells } of readCsv(file, text, COLUMNS)) {
    const { hardware = '', dataflow = '', model = '', latency_ms = '', energy_mj = '' } = cells;
    for (const [column, name] of Object.entries({ hardware, dataflow, model })) {
      if (!/^[\w.+-]{1,100}$/.test(name))
        problems.push({ line, text: `${column} is ${quoted(name)}, and must be a name of letters, digits, _ . + -` });
    }
    if (/_/.test(dataflow))
      problems.push({ line, text: `dataflow is ${quoted(dataflow)}, and must be without "_", which stands between two of them` });
    const latencyMs = decimalOf(latency_ms);
    const energyMj = decimalOf(energy_mj);
    if (latencyMs === undefined || latencyMs <= 0 || latencyMs > LATENCY_MAX_MS) {
      problems.push({ line, text: `latency_ms is ${quoted(latency_ms)}, and must be over 0 and up to ${LATENCY_MAX_MS}` });
    }
    if (energyMj === undefined || energyMj < 0 || energyMj > ENERGY_READ_MAX_MJ) {
      problems.push({ line, text: `energy_mj is ${quoted(energy_mj)}, and must be 0 to ${ENERGY_READ_MAX_MJ}` });
    }
    const key = `${hardware},${dataflow},${model}`;
    const firstLine = firstLines.get(key);
    if (firstLine !== undefined) problems.push({ line, text: `${quoted(key)} stands on line ${firstLine} already; give it once` });
    else firstLines.set(key, line);
    if (latencyMs === undefined || energyMj === undefined) continue;
    const dataflows = byHardware.get(hardware) ?? new Map<string, Map<string, JobCost>>();
    const models = dataflows.get(dataflow) ?? new Map<string, JobCost>();
    byHardware.set(hardware, dataflows.set(dataflow, models.set(model, { latencyUs: latencyMs * 1_000, energyUj: energyMj * 1_000 })));
  }
  if (problems.length > 0) throw csvInvalid(file, problems);
  return { file, byHardware };
}
