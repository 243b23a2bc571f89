import { isAbsolute, resolve } from 'node:path';
import { CoxswainError } from '../core/errors.ts';
import { redactUrls } from './line-tail.ts';

/** Where a video comes from. */
export type VideoInput =
  /** A video file, played at its own pace, once or for ever. */
  | { readonly kind: 'file'; readonly path: string; readonly loop: boolean }
  /** `rtsp://` or `rtsps://`; the stream runs over TCP. */
  | { readonly kind: 'rtsp'; readonly url: string }
  /** A camera of this machine, such as /dev/video0 or a stable name below /dev/v4l/by-id. */
  | { readonly kind: 'v4l2'; readonly device: string };

export interface VideoShape {
  readonly width: number;
  readonly height: number;
  /** Frames are dropped or repeated to this rate. */
  readonly fps: number;
}

/** Containers only: formats that name other files or hosts (HLS, concat, SDP) are left out, so that a file can open nothing but itself. */
const FILE_FORMATS = 'mov,matroska,avi,mpegts,mpeg,mjpeg,h264,hevc,flv,ogg,yuv4mpegpipe';

/** The protocols that may be opened below an allowed URL; ffmpeg refuses all others. */
const RTSP_PROTOCOLS: Readonly<Record<string, string>> = { 'rtsp:': 'rtsp,rtp,tcp', 'rtsps:': 'rtsps,rtsp,rtp,tls,tcp' };

/**
 * The arguments with which ffmpeg writes raw RGB frames of exactly width x height (cover, centred) to its standard output. Everything of the user's is one
 * element of the vector that cannot be taken for an option or another protocol. A file is played at its own pace, or as fast as its frames are read. Throws CONFIG_INVALID for an input that is not allowed.
 */
export function videoArguments(input: VideoInput, shape: VideoShape, pace: 'own' | 'as-read' = 'own'): readonly string[] {
  const { width, height, fps } = shape;
  const cover = `fps=${fps},scale=${width}:${height}:force_original_aspect_ratio=increase:flags=bilinear,crop=${width}:${height}`;
  const output = ['-map', '0:v:0', '-an', '-sn', '-dn', '-vf', cover, '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'];
  return ['-hide_banner', '-nostdin', '-loglevel', 'error', ...inputArguments(input, fps, pace), ...output];
}

function inputArguments(input: VideoInput, fps: number, pace: 'own' | 'as-read'): readonly string[] {
  switch (input.kind) {
    case 'file': {
      const loop = input.loop ? ['-stream_loop', '-1'] : [];
      const pacing = pace === 'own' ? ['-re'] : [];
      return ['-protocol_whitelist', 'file', '-format_whitelist', FILE_FORMATS, ...pacing, ...loop, '-i', `file:${checkPath(input.path)}`];
    }
    case 'rtsp': {
      const protocols = rtspProtocols(input.url);
      return ['-protocol_whitelist', protocols, '-rtsp_transport', 'tcp', '-fflags', 'nobuffer', '-flags', 'low_delay', '-i', input.url];
    }
    case 'v4l2':
      return ['-protocol_whitelist', 'file', '-f', 'v4l2', '-framerate', String(fps), '-i', checkDevice(input.device)];
  }
}

function checkPath(path: string): string {
  if (path === '' || path.includes('\0'))
    throw new CoxswainError('CONFIG_INVALID', 'a video path must not be empty or hold a NUL character');
  return isAbsolute(path) ? path : resolve(path);
}

function rtspProtocols(url: string): string {
  const parsed = /[\s\p{Cc}]/u.test(url) || !URL.canParse(url) ? undefined : new URL(url);
  const protocols = parsed === undefined || parsed.hostname === '' ? undefined : RTSP_PROTOCOLS[parsed.protocol];
  if (protocols !== undefined) return protocols;
  throw new CoxswainError(
    'CONFIG_INVALID',
    `the video url '${redactUrls(url)}' is not allowed: it must be rtsp:// or rtsps:// with a host`,
  );
}

function checkDevice(device: string): string {
  if (/^\/dev\/[\w.:/+-]+$/.test(device) && !device.includes('..')) return device;
  throw new CoxswainError(
    'CONFIG_INVALID',
    `the camera device '${device}' is not allowed: it must be a path below /dev, such as /dev/video0`,
  );
}
