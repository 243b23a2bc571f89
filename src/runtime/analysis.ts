/** The tests of the scheduler by name, for the command line, which may call the runtime only. */
export {
  ANALYSIS_NAMES,
  type AnalysedTask,
  type AnalysisName,
  type AnalysisResult,
  aboutAnalysis,
  analyze,
  misfitsOf,
} from '../scheduler/analysis/analyze.ts';
