import { CoxswainError } from '../core/errors.ts';

/** One level of a topic: what every broker, shell and file system takes unescaped, and nothing that MQTT gives a meaning to (`/ + # $`). */
const SEGMENT = /^[A-Za-z0-9_-]{1,64}$/;

/** A prefix such as `fleet/berlin/car` may have this many levels; it keeps the whole topic far below the 65 535 bytes of MQTT. */
const PREFIX_SEGMENTS_MAX = 4;

const TOPIC_LENGTH_MAX = 512;

export const isTopicSegment = (text: string): boolean => SEGMENT.test(text);

/** Levels joined by "/", short enough for every broker. */
export const isTopic = (text: string): boolean => text.length <= TOPIC_LENGTH_MAX && text.split('/').every(isTopicSegment);

/** The topics of one node. A function gives undefined for a name that is not a topic segment, so that a bad name can be counted instead of sent. */
export interface Topics {
  /** Retained; also the topic of the will. */
  readonly status: string;
  /** Retained. */
  readonly health: string;
  telemetry(group: string): string | undefined;
  event(kind: string): string | undefined;
  result(pipeline: string): string | undefined;
  /** Inbound: what somebody says to a source of words. */
  words(source: string): string | undefined;
}

/**
 * `<prefix>/<node>/...`; `prefix` is 1..4 segments joined by `/`, `node` is one segment.
 * Errors: CONFIG_INVALID.
 */
export function createTopics(prefix: string, node: string): Topics {
  const levels = prefix.split('/');
  if (levels.length > PREFIX_SEGMENTS_MAX || !levels.every(isTopicSegment)) {
    throw new CoxswainError(
      'CONFIG_INVALID',
      `MQTT prefix ${JSON.stringify(prefix)} is not allowed: use 1 to ${PREFIX_SEGMENTS_MAX} levels of A-Z a-z 0-9 _ -, each at most 64 long, joined by "/"`,
    );
  }
  if (!isTopicSegment(node)) {
    throw new CoxswainError('CONFIG_INVALID', `MQTT node name ${JSON.stringify(node)} is not allowed: use 1 to 64 of A-Z a-z 0-9 _ -`);
  }
  const root = `${prefix}/${node}`;
  const under =
    (branch: string) =>
    (segment: string): string | undefined =>
      isTopicSegment(segment) ? `${root}/${branch}/${segment}` : undefined;
  return {
    status: `${root}/status`,
    health: `${root}/health`,
    telemetry: under('telemetry'),
    event: under('event'),
    result: under('result'),
    words: under('words'),
  };
}
