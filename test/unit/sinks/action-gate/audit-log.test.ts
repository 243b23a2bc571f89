import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AUDIT_BEGINNING, type AuditLog, type AuditLogOptions, openAuditLog } from '../../../../src/sinks/action-gate/audit-log.ts';
import { type ActionRig, createActionRig, ms } from '../../../support/action-rig.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (): string => join(folder, 'deep', 'actions.jsonl');
const troubles: string[] = [];

async function open(rig: ActionRig, options: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
  troubles.splice(0);
  return openAuditLog(
    { file: file(), bytesMax: 1_000_000, filesMax: 3, ...options },
    { clock: rig.clock, onTrouble: (text) => troubles.push(text) },
  );
}

/** Records everything that happened to the rig so far. */
async function keep(log: AuditLog, rig: ActionRig): Promise<void> {
  for (const event of rig.events.splice(0)) log.record(event);
  await log.close();
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n');

/** Follows the chain as an auditor would, with nothing of ours but the rule. */
function brokenLines(lines: readonly string[]): readonly number[] {
  let previous = AUDIT_BEGINNING;
  return lines.flatMap((line, index) => {
    const isWhole = line === '' || (JSON.parse(line) as { previous: string }).previous === previous;
    if (line !== '') previous = createHash('sha256').update(line).digest('hex');
    return isWhole ? [] : [index];
  });
}

describe('the audit log', () => {
  it('says of each proposal whose it was, what it asked for and what became of it', async () => {
    const rig = createActionRig();
    const log = await open(rig);
    rig.gate.propose(rig.proposal('set_heat', { seat: 'left', level: 2 }));
    rig.gate.propose(rig.proposal('brake', { hard: '\u001b[31m' }, { provenance: 'camera-text' }));
    await keep(log, rig);
    const entries = linesOf(file()).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toMatchObject([
      { kind: 'opened', isTorn: false, previous: AUDIT_BEGINNING },
      { kind: 'accepted', id: 'p1', action: 'set_heat', provenance: 'driver', arguments: { seat: 'left', level: 2 }, atUs: 1_000_000 },
      { kind: 'rejected', reason: 'forbidden', id: 'p2', action: 'brake', provenance: 'camera-text', arguments: '{"hard":"\\u001b[31m"}' },
    ]);
    expect(log.counts()).toEqual({ lines: 3, linesLost: 0 });
  });

  it('goes on where an earlier run ended, in one chain', async () => {
    for (let round = 0; round < 3; round += 1) {
      const rig = createActionRig();
      const log = await open(rig);
      rig.gate.propose(rig.proposal('say', { text: `round ${round}` }));
      await keep(log, rig);
    }
    expect(linesOf(file())).toHaveLength(6);
    expect(brokenLines(linesOf(file()))).toEqual([]);
  });

  it('shows which line was changed or taken out', async () => {
    const rig = createActionRig();
    const log = await open(rig);
    for (let index = 0; index < 4; index += 1) rig.gate.propose(rig.proposal('say', { text: `${index}` }));
    await keep(log, rig);
    const lines = linesOf(file());
    expect(brokenLines(lines)).toEqual([]);
    expect(brokenLines(lines.map((line, index) => (index === 2 ? line.replace('driver', 'nobody') : line)))).toEqual([3]);
    expect(brokenLines(lines.filter((_, index) => index !== 2))).toEqual([2]);
  });

  it('begins a new line after one that was torn by a loss of power, and says so', async () => {
    const rig = createActionRig();
    await keep(await open(rig), rig);
    appendFileSync(file(), '{"kind":"acc');
    await keep(await open(rig), rig);
    const lines = linesOf(file());
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ kind: 'opened', isTorn: true });
  });

  it('keeps so many files of such a size and one chain through them', async () => {
    const rig = createActionRig();
    const log = await open(rig, { bytesMax: 2_000, filesMax: 3 });
    for (let index = 0; index < 40; index += 1) {
      rig.clock.runFor(ms(1_000));
      rig.gate.propose(rig.proposal('nothing', {}));
      for (const event of rig.events.splice(0)) log.record(event);
      await log.close();
    }
    expect(['', '.1', '.2', '.3'].map((end) => existsSync(file() + end))).toEqual([true, true, true, false]);
    const lines = ['.2', '.1', ''].flatMap((end) => linesOf(file() + end));
    expect(brokenLines(lines).filter((index) => index > 0)).toEqual([]);
    expect(readFileSync(`${file()}.1`).length).toBeLessThanOrEqual(2_000);
  });

  it('loses lines rather than memory when the disk does not keep up, and says so once', async () => {
    const rig = createActionRig();
    const log = await open(rig, { linesMax: 3 });
    await log.close();
    for (let index = 0; index < 10; index += 1) rig.gate.propose(rig.proposal('nothing', {}));
    await keep(log, rig);
    expect(log.counts()).toEqual({ lines: 4, linesLost: 7 });
    expect(troubles).toHaveLength(1);
  });

  it('goes on without a file that is taken away, and says so', async () => {
    const rig = createActionRig();
    const log = await open(rig);
    await log.close();
    rmSync(join(folder, 'deep'), { recursive: true });
    rig.gate.propose(rig.proposal('nothing', {}));
    await keep(log, rig);
    expect(log.counts()).toEqual({ lines: 1, linesLost: 1 });
    expect(troubles[0]).toContain('actions go on');
  });

  it('is not opened where nothing can be written', async () => {
    writeFileSync(join(folder, 'deep'), 'a file, not a folder');
    await expect(open(createActionRig())).rejects.toThrow(expect.objectContaining({ code: 'FILE_UNWRITABLE' }));
  });
});
