/**
 * What state the machine is in, from the least to the most severe: nothing is wrong; the bus carries less than it should; the chip has to be kept cool; a core is
 * missing; only what safety needs is served.
 */
export const MODES = ['nominal', 'bandwidth-short', 'hot', 'core-lost', 'safe'] as const;
export type Mode = (typeof MODES)[number];

/** 0 for nominal; larger is more severe. */
export const modeSeverity = (mode: Mode): number => MODES.indexOf(mode);
