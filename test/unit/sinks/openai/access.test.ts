import { describe, expect, it } from 'vitest';
import type { Provenance } from '../../../../src/core/proposal.ts';
import { createBearerCheck } from '../../../../src/sinks/openai/bearer-token.ts';
import { isOwnHost } from '../../../../src/sinks/openai/host-check.ts';
import { joinService, readServiceHeaders } from '../../../../src/sinks/openai/service-headers.ts';

describe('a bearer token', () => {
  const isRight = createBearerCheck('0123456789abcdef');
  it.each(['Bearer 0123456789abcdef', 'bearer  0123456789abcdef', 'BEARER 0123456789abcdef '])('is right as %j', (header) => {
    expect(isRight(header)).toBe(true);
  });
  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer 0123456789abcdeg',
    'Bearer 0123456789abcde',
    '0123456789abcdef',
    'Basic 0123456789abcdef',
    'Bearer a 0123456789abcdef',
  ])('is wrong as %j', (header) => {
    expect(isRight(header)).toBe(false);
  });
});

describe('a Host header', () => {
  it.each([undefined, 'localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '127.9.9.9', '[::1]:1', '[::1]'])('is our own as %j', (host) => {
    expect(isOwnHost(host)).toBe(true);
  });
  it.each([
    'evil.example',
    'localhost.evil.example:8080',
    '127.0.0.1.evil.example',
    '127.evil.example',
    '10.0.0.1',
    '[::2]',
    '',
    'localhost:80:80',
  ])('is a stranger as %j', (host) => {
    expect(isOwnHost(host)).toBe(false);
  });
});

describe('what is asked of the service', () => {
  it('comes from headers, and the body goes before them', () => {
    const read = readServiceHeaders({
      ...{ 'x-coxswain-deadline-ms': '250.5', 'x-coxswain-criticality': 'background' },
      ...{ 'x-coxswain-conversation': 'a b', 'x-coxswain-provenance': 'mqtt' },
    });
    if (read.kind === 'refused') throw new Error(read.message);
    expect(read.service).toEqual({ deadlineMs: 250.5, criticality: 'background', conversation: 'a b', provenance: 'mqtt' });
    expect(joinService('passenger', read.service, { deadlineMs: 100 })).toEqual({
      service: { deadlineMs: 100, criticality: 'background', conversation: 'a b', provenance: 'mqtt' },
      provenance: 'mqtt',
    });
  });

  it.each([
    ['passenger', 'driver', undefined, 'passenger'],
    ['passenger', undefined, 'driver', 'passenger'],
    ['passenger', 'mqtt', 'driver', 'mqtt'],
    ['passenger', 'mqtt', 'camera-text', 'camera-text'],
    ['driver', undefined, undefined, 'driver'],
    ['camera-text', 'driver', 'driver', 'camera-text'],
  ] as const)('can only lower who the words count as: %s with %s and %s is %s', (configured, header, body, expected) => {
    const service = (provenance: Provenance | undefined) => (provenance === undefined ? {} : { provenance });
    expect(joinService(configured, service(header), service(body)).provenance).toBe(expected);
  });

  it.each([
    ['x-coxswain-deadline-ms', '0'],
    ['x-coxswain-deadline-ms', '-1'],
    ['x-coxswain-deadline-ms', '1e3'],
    ['x-coxswain-deadline-ms', '100000000'],
    ['x-coxswain-deadline-ms', '1, 2'],
    ['x-coxswain-criticality', 'safety'],
    ['x-coxswain-conversation', ''],
    ['x-coxswain-conversation', 'x'.repeat(201)],
    ['x-coxswain-conversation', 'a\u0000b'],
    ['x-coxswain-provenance', 'owner'],
  ])('is refused where %s is %j', (param, value) => {
    expect(readServiceHeaders({ [param]: value })).toMatchObject({ kind: 'refused', param });
  });
});
