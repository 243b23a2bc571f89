import type { RunnableAction } from '../../core/action.ts';
import { PROVENANCES, type Provenance } from '../../core/proposal.ts';
import type { CallValues } from './call-arguments.ts';

export interface TrustPolicy {
  /** Names of class A actions that words from MQTT may ask for. */
  readonly fromMqtt: ReadonlySet<string>;
}

/** What each is held to besides everything that those before it in PROVENANCES are held to. */
const OWN_RULE: Readonly<Record<Provenance, (action: RunnableAction, values: CallValues, policy: TrustPolicy) => string | undefined>> = {
  driver: () => undefined,
  passenger: (action, values) => {
    const { passenger } = action;
    if (action.class !== 'A') return 'only the driver may ask for this';
    if (passenger.kind === 'everything') return undefined;
    if (passenger.kind === 'nothing') return 'a passenger may not ask for this';
    const foreign = Object.entries(passenger.values).find(([name, own]) => !own.includes(String(values[name])));
    return foreign === undefined ? undefined : `a passenger may ask for this with ${foreign[0]} ${foreign[1].join(' or ')} only`;
  },
  mqtt: (action, _values, { fromMqtt }) => (fromMqtt.has(action.name) ? undefined : 'words from MQTT may not ask for this'),
  // Whoever can hold up a sheet of paper can write it: it can be read out, and that is all.
  'camera-text': () => 'text that a camera sees may not ask for anything',
};

/**
 * Undefined when somebody of this provenance may ask for it, else why not. Whoever is trusted less has to pass the rules of all that are trusted more, so
 * that no rule can ever give them more; their own comes first, since it says what they have to hear.
 */
export function distrust(action: RunnableAction, values: CallValues, provenance: Provenance, policy: TrustPolicy): string | undefined {
  const rank = PROVENANCES.indexOf(provenance);
  if (rank < 0) return 'nobody knows whose words these are';
  for (const held of PROVENANCES.slice(0, rank + 1).reverse()) {
    const refusal = OWN_RULE[held](action, values, policy);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
