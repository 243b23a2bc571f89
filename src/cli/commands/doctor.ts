import type { CliDeps } from '../cli-deps.ts';
import { EXIT } from '../exit-code.ts';
import { choosePaint, type Tone } from '../paint.ts';
import { escapeText } from '../terminal-text.ts';

/** `warn`: something optional is missing. `fail`: the runtime cannot work. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do; empty when all is well. */
  readonly fix: string;
}

export interface DoctorOptions {
  readonly isJson: boolean;
}

export interface DoctorDeps extends Pick<CliDeps, 'out' | 'env'> {
  /** In the order in which they are shown. A check reports, it does not throw. */
  readonly checks: readonly (() => Promise<readonly Finding[]>)[];
}

const TONES: Readonly<Record<Finding['status'], Tone>> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** What this machine can and cannot do for us; 1 when the runtime could not work. */
export async function doctor(options: DoctorOptions, deps: DoctorDeps): Promise<number> {
  const { out } = deps;
  const paint = choosePaint(out.isTty, deps.env);
  const findings: Finding[] = [];
  for (const check of deps.checks) {
    for (const finding of await check()) {
      findings.push(finding);
      if (options.isJson) continue;
      out.write(
        `${paint(finding.status.padEnd(4), TONES[finding.status])} ${escapeText(finding.name).padEnd(22)} ${escapeText(finding.detail)}\n`,
      );
      if (finding.fix !== '') out.write(`${' '.repeat(28)}${escapeText(finding.fix)}\n`);
    }
  }
  const failed = findings.filter(({ status }) => status === 'fail').length;
  const warned = findings.filter(({ status }) => status === 'warn').length;
  if (options.isJson) out.write(`${JSON.stringify(findings)}\n`);
  else out.write(failed > 0 ? `${failed} to fix before anything runs, ${warned} to know of\n` : `ready to run; ${warned} to know of\n`);
  return failed > 0 ? EXIT.findings : EXIT.fine;
}
