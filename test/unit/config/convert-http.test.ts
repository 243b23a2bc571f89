import { describe, expect, it } from 'vitest';
import { effectiveConfig, printConfig } from '../../../src/config/print-config.ts';
import { CONFIG, load, refusals, type Written } from '../../support/config-files.ts';

const withHttp = (http: string, more: Written = {}): Written => ({ ...more, config: `${CONFIG}http: { ${http} }\n` });
const httpOf = (http: string, more: Written = {}) => load(withHttp(http, more)).http;
const refusal = (http: string, more: Written = {}): string => refusals(withHttp(http, more)).join('\n');
const TOKEN = 'abcdefghijklmnop';

describe('the section http', () => {
  it('is optional, and then nobody listens', () => {
    expect(load().http).toBeUndefined();
    expect(effectiveConfig(load())).not.toHaveProperty('http');
  });

  it('listens on loopback for a passenger unless told otherwise', () => {
    expect(httpOf('')).toEqual({
      ...{ host: '127.0.0.1', port: 8080, token: undefined, provenance: 'passenger' },
      ...{ requestBytesMax: 1_048_576, connectionsMax: 256, unreadBytesMax: 262_144 },
      ...{ requestTimeoutUs: 10_000_000, stalledAfterUs: 20_000_000, keepAliveUs: 10_000_000 },
    });
  });

  it('prints what loads to the same again', () => {
    const config = load(withHttp('host: "::1", port: 0, provenance: mqtt, keepAliveMs: 100.5'));
    expect(load({ config: printConfig(config) }).http).toEqual(config.http);
  });
});

describe('a server that others can reach', () => {
  it.each(['0.0.0.0', '"::"', '192.168.1.2', 'vehicle.local', 'localhost.example', '"::ffff:10.0.0.1"'])('needs a token: %s', (host) => {
    expect(refusal(`host: ${host}`)).toMatch(
      /^bench\.yaml:16:\d+: http\.host: got .* and there is no token; set http\.token, or listen on/,
    );
    expect(httpOf(`host: ${host}, token: ${TOKEN}`)?.token?.reveal()).toBe(TOKEN);
  });

  it.each(['127.0.0.1', '127.8.0.1', 'localhost', 'LocalHost', '"::1"'])('is none on %s', (host) => {
    expect(httpOf(`host: ${host}`)?.token).toBeUndefined();
  });
});

describe('the token', () => {
  it('comes from the file itself, the environment or another file, and is never shown', () => {
    const others = { '/vehicle/configs/token': `${TOKEN}\n` };
    expect(httpOf('token: "file:token"', { others })?.token?.reveal()).toBe(TOKEN);
    const config = load(withHttp(`token: "\${T}"`, { env: { T: TOKEN } }));
    expect(config.http?.token?.reveal()).toBe(TOKEN);
    expect(printConfig(config)).toContain('token: "***"');
    expect(printConfig(config) + JSON.stringify(config)).not.toContain(TOKEN);
  });

  it.each(['short', 'with a space in between', 'ünicode-ünicode-ünicode', '***'])('is refused as %s, without quoting it', (token) => {
    const text = refusal(`token: "${token}"`);
    expect(text).toMatch(/http\.token: got something else; allowed are 16 or more/);
    expect(text).not.toContain(token === '***' ? '"***"' : token);
  });

  it('is none when it is empty, so that one file serves both', () => {
    expect(httpOf(`token: "\${T:-}"`)?.token).toBeUndefined();
    expect(refusal(`host: 0.0.0.0, token: "\${T:-}"`)).toContain('there is no token');
  });
});
