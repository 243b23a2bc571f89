import fc from 'fast-check';

/** The same draws in every run, so that a red test is red again; COXSWAIN_FC_SEED=n looks elsewhere. */
fc.configureGlobal({ seed: Number(process.env.COXSWAIN_FC_SEED ?? 20_261_122) });
