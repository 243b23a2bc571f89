"""A Llama decoder as config.json describes it, in plain PyTorch from 1.13 on: RMSNorm, rotary positions in halves, grouped queries, SwiGLU, tied embedding."""

import json
import math
import struct

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


class Bf16Linear(torch.autograd.Function):
    """A product in bfloat16 with float32 in and out, forwards and backwards: on CPUs with AVX512-BF16 it takes less than half the time."""

    @staticmethod
    def forward(ctx, x, weight):
        x16, w16 = x.to(torch.bfloat16), weight.to(torch.bfloat16)
        ctx.save_for_backward(x16, w16)
        return F.linear(x16, w16).float()

    @staticmethod
    def backward(ctx, gradient):
        x16, w16 = ctx.saved_tensors
        g16 = gradient.to(torch.bfloat16)
        flat_g, flat_x = g16.reshape(-1, g16.shape[-1]), x16.reshape(-1, x16.shape[-1])
        return (g16 @ w16).float(), (flat_g.t() @ flat_x).float()


class CausalAttention(torch.autograd.Function):
    """
    softmax(q k^T + causal mask) v with q scaled already: q [batch, kv heads, group, tokens, size], k and v [batch, kv heads, tokens, size]. Queries go in
    blocks that see no key behind themselves, which halves the work, and the gradient of the softmax needs one product less (Dao et al., FlashAttention,
    2022, section 3.1, D = rowsum(dO O)).
    """

    BLOCK = 64

    @staticmethod
    def forward(ctx, query, key, value):
        tokens = query.shape[3]
        output, shares = torch.empty_like(query), []
        for start in range(0, tokens, CausalAttention.BLOCK):
            end = min(tokens, start + CausalAttention.BLOCK)
            share = CausalAttention.product(query[:, :, :, start:end], key[:, :, :end].transpose(2, 3))
            share[..., start:end] += torch.full((end - start, end - start), float("-inf"), device=query.device).triu(1)
            share.sub_(share.amax(-1, keepdim=True)).exp_()
            share.div_(share.sum(-1, keepdim=True))
            output[:, :, :, start:end] = CausalAttention.product(share, value[:, :, :end])
            shares.append(share)
        ctx.save_for_backward(query, key, value, output, *shares)
        return output

    @staticmethod
    def product(grouped, shared):
        """[batch, kv heads, group, tokens, n] x [batch, kv heads, n, m]: the group is stacked on the tokens."""
        batch, heads, group, tokens, size = grouped.shape
        return (grouped.reshape(batch, heads, group * tokens, size) @ shared).view(batch, heads, group, tokens, -1)

    @staticmethod
    def backward(ctx, gradient):
        query, key, value, output, *shares = ctx.saved_tensors
        rows = (gradient * output).sum(-1, keepdim=True)
        d_query, d_key, d_value = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(value)
        for index, share in enumerate(shares):
            start = index * CausalAttention.BLOCK
            end = start + share.shape[3]
            part = gradient[:, :, :, start:end]
            stacked = share.flatten(2, 3).transpose(2, 3)
            d_value[:, :, :end] += stacked @ part.reshape(*stacked.shape[:2], -1, part.shape[-1])
            d_score = CausalAttention.product(part, value[:, :, :end].transpose(2, 3)).sub_(rows[:, :, :, start:end]).mul_(share)
            d_query[:, :, :, start:end] = CausalAttention.product(d_score, key[:, :, :end])
            queries = query[:, :, :, start:end].reshape(*stacked.shape[:2], -1, query.shape[-1])
            d_key[:, :, :end] += d_score.flatten(2, 3).transpose(2, 3) @ queries
        return d_query, d_key, d_value


class Linear(nn.Module):
    def __init__(self, inputs, outputs, deviation):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * deviation)
        self.is_bf16 = False

    def forward(self, x):
        return Bf16Linear.apply(x, self.weight) if self.is_bf16 else F.linear(x, self.weight)


class Norm(nn.Module):
    def __init__(self, size, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon))


def rotate(x, cos, sin):
    """x [batch, heads, tokens, size]; cos and sin [batch or 1, 1, tokens, size / 2]. Halves, not pairs, as the weights on the hub have it."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads, self.kv_heads, self.size = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
        hidden, deviation = config["hidden_size"], config["initializer_range"]
        self.q_proj = Linear(hidden, self.heads * self.size, deviation)
        self.k_proj = Linear(hidden, self.kv_heads * self.size, deviation)
        self.v_proj = Linear(hidden, self.kv_heads * self.size, deviation)
        self.o_proj = Linear(self.heads * self.size, hidden, deviation / math.sqrt(2 * config["num_hidden_layers"]))

    def forward(self, x, cos, sin, mask, cache):
        batch, tokens, _ = x.shape
        query = self.q_proj(x).view(batch, tokens, self.heads, self.size).transpose(1, 2)
        key = self.k_proj(x).view(batch, tokens, self.kv_heads, self.size).transpose(1, 2)
        value = self.v_proj(x).view(batch, tokens, self.kv_heads, self.size).transpose(1, 2)
        query, key = rotate(query, cos, sin), rotate(key, cos, sin)
        group = self.heads // self.kv_heads
        query = query.view(batch, self.kv_heads, group, tokens, self.size) / math.sqrt(self.size)
        if mask is None:
            mixed = CausalAttention.apply(query, key, value)
        else:
            if cache is not None:
                key, value = cache.extend(key, value)
            shares = (CausalAttention.product(query, key.transpose(2, 3)) + mask).softmax(-1)
            mixed = CausalAttention.product(shares, value)
        mixed = mixed.view(batch, self.heads, tokens, self.size)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, tokens, self.heads * self.size))


class FeedForward(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, wide, deviation = config["hidden_size"], config["intermediate_size"], config["initializer_range"]
        self.gate_proj = Linear(hidden, wide, deviation)
        self.up_proj = Linear(hidden, wide, deviation)
        self.down_proj = Linear(wide, hidden, deviation / math.sqrt(2 * config["num_hidden_layers"]))

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.self_attn, self.mlp = Attention(config), FeedForward(config)
        self.input_layernorm = Norm(config["hidden_size"], config["rms_norm_eps"])
        self.post_attention_layernorm = Norm(config["hidden_size"], config["rms_norm_eps"])

    def forward(self, x, cos, sin, mask, cache):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed_tokens = nn.Embedding(config["vocab_size"], config["hidden_size"])
        nn.init.normal_(self.embed_tokens.weight, std=config["initializer_range"])
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.norm = Norm(config["hidden_size"], config["rms_norm_eps"])


class Llama(nn.Module):
    """Its parameters have the names of the hub; `lm_head` is the embedding."""

    def __init__(self, config):
        super().__init__()
        self.config, self.model, self.is_bf16 = config, Body(config), False

    def use_bf16(self):
        self.is_bf16 = True
        for module in self.modules():
            if isinstance(module, Linear):
                module.is_bf16 = True

    def hidden(self, ids, positions=None, mask=None, caches=None):
        """ids [batch, tokens] -> hidden states of the same, after the last norm. Causal where no mask is given."""
        tokens = ids.shape[1]
        if positions is None:
            positions = torch.arange(tokens, device=ids.device)[None]
        size, theta = self.config["head_dim"], self.config["rope_theta"]
        frequencies = theta ** (-torch.arange(0, size, 2, device=ids.device, dtype=torch.float32) / size)
        angles = (positions[..., None].float() * frequencies)[:, None]
        cos, sin = angles.cos(), angles.sin()
        x = self.model.embed_tokens(ids)
        for index, layer in enumerate(self.model.layers):
            x = layer(x, cos, sin, mask, None if caches is None else caches[index])
        return self.model.norm(x)

    def logits(self, hidden):
        weight = self.model.embed_tokens.weight
        return Bf16Linear.apply(hidden, weight) if self.is_bf16 else F.linear(hidden, weight)


def write_safetensors(path, tensors):
    """The whole format: eight bytes of length, a JSON header, then the tensors in its order, little endian."""
    header, offset, blobs = {}, 0, []
    for name, tensor in tensors.items():
        blob = tensor.detach().cpu().float().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for blob in blobs:
            file.write(blob)


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            tensors[name] = torch.from_numpy(np.frombuffer(body[start:end], dtype=np.float32).copy()).view(entry["shape"])
    return tensors
