import { assertNever } from '../../core/assert.ts';
import type { DropReason, FailReason, Outcome, RejectReason } from '../../core/outcome.ts';
import type { WireError } from './wire-error.ts';

const lost = (status: number, code: string, message: string, retryAfterS?: number): WireError => ({
  status,
  ...(retryAfterS === undefined ? {} : { retryAfterS }),
  body: { error: { message, type: status < 500 ? 'invalid_request_error' : 'server_error', param: null, code } },
});

/** For what passes by itself: a core that is started again, memory that somebody gives back. */
const SOON_S = 1;
/** For what somebody changes by hand or by a mode. */
const LATER_S = 10;

const stopping = (): WireError => lost(503, 'stopping', 'The service is stopping. Ask again when it is back.', LATER_S);

/** What is said where a request was taken and its job gave no answer. `problem`: what was wrong with it, in words, where that is known. */
export function lostAnswer(outcome: Outcome, problem?: string): WireError {
  switch (outcome.kind) {
    case 'rejected':
      return rejected(outcome.reason);
    case 'dropped':
      return dropped(outcome.reason);
    case 'failed':
      return failed(outcome.reason, problem);
    case 'done':
    case 'late':
      return lost(500, 'no_answer', 'The job ended without an answer. Ask again.');
    default:
      return assertNever(outcome);
  }
}

function rejected(reason: RejectReason): WireError {
  if (reason === 'stopping') return stopping();
  if (reason === 'no-memory') return lost(503, 'no_memory', 'There is no memory left for this text now. Ask again soon.', SOON_S);
  return lost(503, reason.replaceAll('-', '_'), `The request was rejected (${reason}). Ask again later.`, SOON_S);
}

function dropped(reason: DropReason): WireError {
  if (reason === 'stopping') return stopping();
  if (reason === 'shed')
    return lost(503, 'shed', 'The model is not served in the mode that the machine is in. Ask again when the mode has ended.', LATER_S);
  if (reason === 'no-core') return lost(503, 'no_core', 'No core can run the model now. Ask again soon.', SOON_S);
  if (reason === 'cancelled') return lost(499, 'cancelled', 'The answer was broken off.');
  return lost(503, reason.replaceAll('-', '_'), `The answer was given up (${reason}). Ask again later.`, SOON_S);
}

function failed(reason: FailReason, problem: string | undefined): WireError {
  const code = reason.replaceAll('-', '_');
  switch (reason) {
    case 'prepare-error':
      return lost(400, code, problem ?? 'The prompt, its options or its schema could not be given to the model. Make them simpler.');
    case 'no-memory':
      return lost(503, code, 'The caches of the conversations under way leave no room for this one. Ask again soon.', SOON_S);
    case 'core-crashed':
    case 'core-hung':
      return lost(503, code, 'The core that answered was lost. It is started again; ask again soon.', SOON_S);
    case 'model-unavailable':
      return lost(503, code, 'The model could not be opened on any core; the log of the service says why.', LATER_S);
    default:
      return lost(500, code, `The answer failed (${reason}); the log of the service says why.`);
  }
}
