import { z } from 'zod';
import { PROVENANCES } from '../core/proposal.ts';
import { choiceField, integerField, msField, patternField, textField } from './fields.ts';

export const httpSchema = z
  .strictObject({
    host: patternField(
      /^[A-Za-z0-9.:-]{1,253}$/,
      'an address or a host name, without a port',
      'Where to listen. Anything but loopback needs a token; 0.0.0.0 and :: are all of the addresses.',
    ).default('127.0.0.1'),
    port: integerField({ min: 0, max: 65_535 }, '', 'Port to listen on; 0 takes a free one.').default(8080),
    token: textField(
      `Bearer token that every request must have, 16 characters or more. \${NAME} is replaced from the environment; file:<path> reads it from a file, relative to this one.`,
      4096,
    ).optional(),
    provenance: choiceField(
      PROVENANCES,
      'Who the words of its clients count as before the action gate. A request may lower it, never raise it.',
    ).default('passenger'),
    requestBytesMax: integerField({ min: 1024, max: 67_108_864 }, 'bytes', 'A longer request is refused.').default(1_048_576),
    connectionsMax: integerField({ min: 1, max: 10_000 }, 'connections', 'Further ones are told to come again later.').default(256),
    unreadBytesMax: integerField(
      { min: 4096, max: 67_108_864 },
      'bytes',
      'An answer is broken off when so much of it waits for its client to read.',
    ).default(262_144),
    requestTimeoutMs: msField({ min: 100, max: 600_000 }, 'A request that has not come in whole by then is given up.').default(10_000),
    stalledAfterMs: msField(
      { min: 100, max: 600_000 },
      'A client that has read nothing for so long, though something is there, is given up.',
    ).default(20_000),
    keepAliveMs: msField({ min: 100, max: 600_000 }, 'Longest silence in a streamed answer before a comment is sent.').default(10_000),
  })
  .describe('A server for OpenAI clients: language models and assistants over HTTP. Without it there is none.');

export type HttpSection = z.output<typeof httpSchema>;
