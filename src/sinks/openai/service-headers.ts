import type { IncomingHttpHeaders } from 'node:http';
import { leastTrusted, PROVENANCES, type Provenance } from '../../core/proposal.ts';
import type { ServiceOptions } from './chat-request.ts';

export type HeaderService =
  | { readonly kind: 'service'; readonly service: ServiceOptions }
  | { readonly kind: 'refused'; readonly param: string; readonly message: string };

const DEADLINE_MS_MAX = 86_400_000;

/** What is asked of the service beside the answer, in headers; the body's field `coxswain` goes before them. */
export function readServiceHeaders(headers: IncomingHttpHeaders): HeaderService {
  const refused = (param: string, message: string): HeaderService => ({ kind: 'refused', param, message: `${param}: ${message}` });
  const read = (name: string): string | undefined => headers[`x-coxswain-${name}`]?.toString();
  const deadline = read('deadline-ms');
  const deadlineMs = Number(deadline);
  if (deadline !== undefined && !(/^\d+(\.\d+)?$/u.test(deadline) && deadlineMs > 0 && deadlineMs <= DEADLINE_MS_MAX))
    return refused('x-coxswain-deadline-ms', `a number of milliseconds up to ${DEADLINE_MS_MAX}, once`);
  const criticality = read('criticality');
  if (criticality !== undefined && criticality !== 'interactive' && criticality !== 'background')
    return refused('x-coxswain-criticality', 'interactive or background, once');
  const conversation = read('conversation');
  if (conversation !== undefined && !/^[\x20-\x7e]{1,200}$/u.test(conversation))
    return refused('x-coxswain-conversation', '1 to 200 characters of ASCII');
  const provenance = read('provenance');
  const known = PROVENANCES.find((one) => one === provenance);
  if (provenance !== undefined && known === undefined) return refused('x-coxswain-provenance', `one of ${PROVENANCES.join(', ')}, once`);
  return {
    kind: 'service',
    service: {
      ...(deadline === undefined ? {} : { deadlineMs }),
      ...(criticality === undefined ? {} : { criticality }),
      ...(conversation === undefined ? {} : { conversation }),
      ...(known === undefined ? {} : { provenance: known }),
    },
  };
}

/** What the body says goes before what a header says; of provenances the least trusted counts, so that none can raise it. */
export function joinService(
  configured: Provenance,
  header: ServiceOptions,
  body: ServiceOptions,
): { readonly service: ServiceOptions; readonly provenance: Provenance } {
  const provenance = leastTrusted([configured, header.provenance ?? configured, body.provenance ?? configured]);
  return { service: { ...header, ...body, provenance }, provenance };
}
