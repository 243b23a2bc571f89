import type { Provenance } from './proposal.ts';
import type { DurationUs } from './units.ts';

/** What the server for OpenAI clients is told. `Token`: how the bearer token is kept, as it is or hidden from whoever prints it. */
export interface HttpSettings<Token> {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Undefined: who can connect may ask. Never undefined where `host` can be reached from elsewhere. */
  readonly token: Token | undefined;
  /** Who the words of its clients count as; a request may only lower it. */
  readonly provenance: Provenance;
  readonly requestBytesMax: number;
  readonly connectionsMax: number;
  /** Bytes of one answer that its client has not taken yet. */
  readonly unreadBytesMax: number;
  /** For a whole request to come in. */
  readonly requestTimeoutUs: DurationUs;
  /** A client that has taken nothing for so long, while there is something to take, is gone. */
  readonly stalledAfterUs: DurationUs;
  /** The longest silence in a stream. */
  readonly keepAliveUs: DurationUs;
}
