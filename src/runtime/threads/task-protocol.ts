import type { ErrorCode } from '../../core/errors.ts';

/** What workers of one kind can be asked, with what they answer. Everything can be cloned; what is large stays in shared memory. */
export type TaskTable<Tasks> = { readonly [K in keyof Tasks]: { readonly request: unknown; readonly answer: unknown } };

/** A task on its way to a worker; `id` comes back with the reply. */
export interface TaskCall {
  readonly id: number;
  readonly kind: string;
  readonly request: unknown;
}

export type TaskReply =
  | { readonly kind: 'ready' }
  /** It can never be ready, and another one in its place could not either. */
  | { readonly kind: 'unfit'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'done'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly code: ErrorCode; readonly message: string };
