import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../../src/core/errors.ts';
import { readDecoderConfig } from '../../../../src/models/language/decoder-config.ts';
import { TINY_CONFIG } from '../../../support/tiny-decoder.ts';

const read = (changes: Readonly<Record<string, unknown>> = {}, generation?: unknown) =>
  readDecoderConfig('m', JSON.stringify({ ...TINY_CONFIG, ...changes }), generation === undefined ? undefined : JSON.stringify(generation));

function errorOf(changes: Readonly<Record<string, unknown>>): CoxswainError {
  try {
    read(changes);
  } catch (thrown) {
    if (thrown instanceof CoxswainError) return thrown;
  }
  throw new Error('nothing was refused');
}

describe('the configuration of a decoder', () => {
  it('is read as the hub writes it', () => {
    expect(read()).toMatchObject({
      modelType: 'llama',
      layers: 3,
      heads: 4,
      kvHeads: 2,
      headSize: 16,
      contextTokens: 96,
      eosTokenIds: [2],
      isRandom: false,
    });
  });

  it('takes head_dim, plain heads and rope_parameters where they are given', () => {
    expect(read({ head_dim: 32, num_key_value_heads: null, rope_theta: null, rope_parameters: { rope_theta: 5e5 } })).toMatchObject({
      headSize: 32,
      kvHeads: 4,
      ropeTheta: 5e5,
    });
  });

  it('prefers what generation_config.json ends an answer with', () => {
    expect(read({}, { eos_token_id: [2, 7], pad_token_id: 0 })).toMatchObject({ eosTokenIds: [2, 7], padTokenId: 0, bosTokenId: 1 });
  });

  it('knows random weights by their mark', () => {
    expect(read({ coxswain_random_seed: 1 }).isRandom).toBe(true);
  });

  it('takes a window as wide as the context, or one that is switched off', () => {
    expect(read({ sliding_window: 96 }).layers).toBe(3);
    expect(read({ sliding_window: 8, use_sliding_window: false }).layers).toBe(3);
  });

  it.each([
    ['a sliding window', { sliding_window: 32 }, /sliding_window is 32/],
    ['layers of another kind', { layer_types: ['full_attention', 'linear_attention'] }, /linear_attention/],
    ['a compressed cache', { kv_lora_rank: 512 }, /kv_lora_rank/],
    ['an encoder beside', { is_encoder_decoder: true }, /is_encoder_decoder/],
  ])('refuses %s as unsupported', (_, changes, message) => {
    const error = errorOf(changes);
    expect(error.code).toBe('MODEL_UNSUPPORTED');
    expect(error.message).toMatch(message);
  });

  it.each([
    ['no layers', { num_hidden_layers: 0 }],
    ['a fraction of a layer', { num_hidden_layers: 2.5 }],
    ['a text for a number', { hidden_size: '64' }],
    ['a missing key', { vocab_size: undefined }],
    ['an end beyond the vocabulary', { eos_token_id: 203 }],
    ['heads that do not divide', { num_attention_heads: 3, num_key_value_heads: 1 }],
    ['KV heads that do not divide', { num_key_value_heads: 3 }],
    ['a number beyond all models', { hidden_size: 1e9 }],
  ])('refuses %s as unloadable', (_, changes) => {
    expect(errorOf(changes).code).toBe('MODEL_UNLOADABLE');
  });

  it('refuses what is not JSON, and a list', () => {
    expect(() => readDecoderConfig('m', '{')).toThrow(/not JSON/);
    expect(() => readDecoderConfig('m', '[]')).toThrow(CoxswainError);
  });
});
