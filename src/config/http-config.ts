import type { HttpSettings } from '../core/http-settings.ts';
import type { Secret } from './secret.ts';

/** The OpenAI-compatible server. */
export type HttpConfig = HttpSettings<Secret>;
