import { BlockList, isIP } from 'node:net';
import { durationFromMs } from '../core/units.ts';
import { convertSecret } from './convert-secret.ts';
import type { HttpConfig } from './http-config.ts';
import type { HttpSection } from './http-schema.ts';
import type { LoadScope } from './load-scope.ts';
import { quoted } from './problem.ts';

/** What RFC 6750 lets a bearer token be made of; shorter ones could be guessed. */
const TOKEN = /^[A-Za-z0-9._~+/-]{16,4096}=*$/;

export function convertHttp(section: HttpSection, scope: LoadScope): HttpConfig {
  const token = section.token === undefined ? undefined : convertSecret(['http', 'token'], section.token, scope);
  if (token !== undefined && !TOKEN.test(token.reveal()))
    scope.refuse(['http', 'token'], 'got something else; allowed are 16 or more letters, digits, "-", ".", "_", "~", "+" or "/"');
  if (token === undefined && !isLoopback(section.host))
    scope.refuse(
      ['http', 'host'],
      `got ${quoted(section.host)}, which others can reach, and there is no token; set http.token, or listen on 127.0.0.1`,
    );
  return {
    host: section.host,
    port: section.port,
    token,
    provenance: section.provenance,
    requestBytesMax: section.requestBytesMax,
    connectionsMax: section.connectionsMax,
    unreadBytesMax: section.unreadBytesMax,
    requestTimeoutUs: durationFromMs(section.requestTimeoutMs),
    stalledAfterUs: durationFromMs(section.stalledAfterMs),
    keepAliveUs: durationFromMs(section.keepAliveMs),
  };
}

/** Whether only this computer can reach it. Of names only `localhost` is known to be so. */
function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
