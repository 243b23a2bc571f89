/** The tests of the scheduler by name, for the command line, which may call the runtime only. */
export {
  type AnalysisName,
  type AnalysisResult,
  analyze,
  misfitsOf,
} from '../scheduler/analysis/analyze.ts';
