import type { Clock } from '../../core/clock.ts';
import type { ActionOutcome } from '../../core/proposal.ts';
import type { EventPayload } from '../../mqtt/payloads.ts';
import type { GateEvent } from './action-gate.ts';

const SEVERITY: Readonly<Record<ActionOutcome['kind'], EventPayload['severity']>> = {
  rejected: 'warning',
  'awaiting-confirmation': 'info',
  accepted: 'info',
  achieved: 'info',
  'timed-out': 'warning',
  refused: 'warning',
  superseded: 'info',
};

/** What became of a proposal, for `/event/action`. */
export function actionEvent({ proposal, permit, outcome }: GateEvent, node: string, clock: Clock): EventPayload {
  const { id, name, provenance } = proposal;
  const reason = outcome.kind === 'rejected' ? outcome.reason : null;
  const detail = 'detail' in outcome ? outcome.detail : '';
  return {
    node,
    kind: 'action',
    wallMs: clock.wallMs(),
    atUs: clock.now(),
    severity: SEVERITY[outcome.kind],
    message: `${name}: ${outcome.kind}${detail === '' ? '' : `, ${detail}`}`,
    data: {
      id,
      action: name,
      provenance,
      outcome: outcome.kind,
      reason,
      arguments: JSON.stringify(permit?.values ?? proposal.argumentsText),
    },
  };
}
