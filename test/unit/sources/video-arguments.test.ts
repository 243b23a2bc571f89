import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import { type VideoInput, videoArguments } from '../../../src/sources/video-arguments.ts';

const shape = { width: 640, height: 360, fps: 12.5 };
const inputOf = (args: readonly string[]): string | undefined => args[args.indexOf('-i') + 1];
const settingOf = (args: readonly string[], option: string): string | undefined => args[args.indexOf(option) + 1];

function codeOf(input: VideoInput): string | undefined {
  try {
    videoArguments(input, shape);
    return undefined;
  } catch (error) {
    return error instanceof CoxswainError ? error.code : 'not ours';
  }
}

describe('videoArguments', () => {
  it('asks for raw RGB of the size and rate on standard output', () => {
    const args = videoArguments({ kind: 'file', path: '/a.mp4', loop: false }, shape);
    expect(args.slice(-4)).toEqual(['rgb24', '-f', 'rawvideo', 'pipe:1']);
    expect(settingOf(args, '-vf')).toBe('fps=12.5,scale=640:360:force_original_aspect_ratio=increase:flags=bilinear,crop=640:360');
  });

  it('plays a file at its own pace and allows it no other protocol', () => {
    const args = videoArguments({ kind: 'file', path: '/a.mp4', loop: true }, shape);
    expect(args).toContain('-re');
    expect(videoArguments({ kind: 'file', path: '/a.mp4', loop: true }, shape, 'as-read')).not.toContain('-re');
    expect(settingOf(args, '-stream_loop')).toBe('-1');
    expect(settingOf(args, '-protocol_whitelist')).toBe('file');
    expect(videoArguments({ kind: 'file', path: '/a.mp4', loop: false }, shape)).not.toContain('-stream_loop');
  });

  it.each(['-y', 'concat:/etc/passwd|/b', 'http://example.org/a.mp4', 'subfile,,start,0,end,9,,:/x', 'a.mp4; rm -rf /'])(
    'takes a file named %j for a file and nothing else',
    (path) => {
      expect(inputOf(videoArguments({ kind: 'file', path, loop: false }, shape))).toMatch(/^file:\//);
    },
  );

  it('runs RTSP over TCP and lets it open nothing but its own transport', () => {
    const args = videoArguments({ kind: 'rtsp', url: 'rtsp://10.0.0.1/stream' }, shape);
    expect(settingOf(args, '-rtsp_transport')).toBe('tcp');
    expect(settingOf(args, '-protocol_whitelist')).toBe('rtsp,rtp,tcp');
    expect(args).not.toContain('-re');
  });

  it.each(['http://10.0.0.1/x', 'file:///etc/passwd', 'concat:a|b', 'rtsp:', 'rtsp://host/a b', '-i', ''])('refuses the url %j', (url) =>
    expect(codeOf({ kind: 'rtsp', url })).toBe('CONFIG_INVALID'),
  );

  it.each(['/etc/passwd', '/dev/../etc/passwd', 'video0', '-i', '/dev/video0 -y'])('refuses the device %j', (device) =>
    expect(codeOf({ kind: 'v4l2', device })).toBe('CONFIG_INVALID'),
  );

  it.each(['/dev/video0', '/dev/v4l/by-id/usb-046d_C920-video-index0'])('takes the device %j', (device) =>
    expect(inputOf(videoArguments({ kind: 'v4l2', device }, shape))).toBe(device),
  );

  it('refuses an empty path and one with a NUL', () => {
    expect(codeOf({ kind: 'file', path: '', loop: false })).toBe('CONFIG_INVALID');
    expect(codeOf({ kind: 'file', path: 'a\0b', loop: false })).toBe('CONFIG_INVALID');
  });

  it('never shows the password of a url it refuses', () => {
    expect(() => videoArguments({ kind: 'rtsp', url: 'http://me:geheim@host/' }, shape)).toThrow(/\*\*\*@host/);
  });
});
