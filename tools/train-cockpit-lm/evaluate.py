"""
Judges a model on held-out conversations: greedy answers with a key-value cache, compared token by token with the right ones. --help lists the options.

A call is right when names and all arguments of all calls are the same; a refusal when no call is made and the answer begins as refusals do; everything else
when the text is the same.
"""

import argparse
import collections
import json
import os

import torch

from model import Llama, read_safetensors

REFUSALS = ("Sorry", "抱歉")


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="what main.ts wrote")
    parser.add_argument("--weights", required=True, help="model.safetensors")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--out", help="where to write the figures as JSON")
    parser.add_argument("--wrong", type=int, default=20, help="how many wrong answers to show")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def load_model(directory, weights):
    with open(os.path.join(directory, "model", "config.json"), encoding="utf8") as file:
        config = json.load(file)
    model = Llama(config)
    model.load_state_dict(read_safetensors(weights))
    return model.eval()


class Cache:
    """Keys and values of one layer; each row of the batch goes on where its own prompt ended."""

    def __init__(self, batch, heads, tokens, size):
        self.keys, self.values = torch.zeros(batch, heads, tokens, size), torch.zeros(batch, heads, tokens, size)
        self.at = None

    def extend(self, key, value):
        if self.at is None:
            self.keys[:, :, : key.shape[2]], self.values[:, :, : key.shape[2]] = key, value
        else:
            rows = torch.arange(len(self.at))
            self.keys[rows, :, self.at], self.values[rows, :, self.at] = key[:, :, 0], value[:, :, 0]
        return self.keys, self.values


def greedy(model, prompts, end, limit):
    """The answers to prompts of any lengths, each up to and with `end` or `limit` tokens."""
    config = model.config
    lengths = torch.tensor([len(prompt) for prompt in prompts])
    longest = int(lengths.max())
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.tensor(prompt)
    caches = [Cache(len(prompts), config["num_key_value_heads"], longest + limit, config["head_dim"]) for _ in range(config["num_hidden_layers"])]
    slots = torch.arange(longest + limit)
    causal = torch.where(slots[None] <= torch.arange(longest)[:, None], 0.0, float("-inf"))
    hidden = model.hidden(ids, mask=causal, caches=caches)
    last = hidden[torch.arange(len(prompts)), lengths - 1]
    answers, done = [[] for _ in prompts], torch.zeros(len(prompts), dtype=torch.bool)
    for count in range(limit):
        chosen = model.logits(last).argmax(-1)
        for row, token in enumerate(chosen.tolist()):
            if not done[row]:
                answers[row].append(token)
        done |= chosen == end
        if bool(done.all()):
            break
        at = lengths + count
        for cache in caches:
            cache.at = at
        mask = torch.where(slots[None] <= at[:, None], 0.0, float("-inf"))[:, None, None, None]
        last = model.hidden(chosen[:, None], positions=at[:, None], mask=mask, caches=caches)[:, 0]
    return answers


def decoder(directory):
    """Ids back to text, from tokenizer.json alone."""
    with open(os.path.join(directory, "model", "tokenizer.json"), encoding="utf8") as file:
        tokenizer = json.load(file)
    printed = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255]
    unprinted = [b for b in range(256) if b not in printed]
    byte_of = {chr(b): b for b in printed} | {chr(256 + index): b for index, b in enumerate(unprinted)}
    token_bytes = {id: bytes(byte_of[c] for c in token) for token, id in tokenizer["model"]["vocab"].items()}
    for added in tokenizer["added_tokens"]:
        token_bytes[added["id"]] = added["content"].encode()
    return lambda ids: b"".join(token_bytes[id] for id in ids).decode("utf8", "replace")


def is_right(group, text, wanted):
    if group == "refusal":
        return "<tool_call>" not in text and text.startswith(REFUSALS)
    return text == wanted


def share(counts):
    return {"right": counts[0], "count": counts[1], "share": round(counts[0] / max(1, counts[1]), 4)}


def evaluate(given):
    torch.set_num_threads(given.threads)
    model = load_model(given.data, given.weights)
    decode = decoder(given.data)
    with open(os.path.join(given.data, "heldout.jsonl"), encoding="utf8") as file:
        documents = [json.loads(line) for _, line in zip(range(given.count), file)]
    documents = sorted((d for d in documents if len(d["prompt"]) + 96 < model.config["max_position_embeddings"]), key=lambda d: len(d["prompt"]))
    tables = {name: collections.defaultdict(lambda: [0, 0]) for name in ("group", "group_language", "group_clean", "intent")}
    name_right, exact_refusals, wrong = [0, 0], [0, 0], []
    with torch.no_grad():
        for start in range(0, len(documents), 50):
            part = documents[start : start + 50]
            answers = greedy(model, [d["prompt"] for d in part], part[0]["answer"][-1], 96)
            for document, answer in zip(part, answers):
                text, expected = decode(answer), decode(document["answer"])
                right = is_right(document["group"], text, expected)
                keys = {"group": document["group"], "group_language": f"{document['group']}/{document['language']}", "intent": document["intent"]}
                if not document["isMisspelt"]:
                    keys["group_clean"] = document["group"]
                for table, key in keys.items():
                    tables[table][key][0] += right
                    tables[table][key][1] += 1
                if document["group"] == "call":
                    name_right[0] += text.split('"arguments"')[0] == expected.split('"arguments"')[0]
                    name_right[1] += 1
                if document["group"] == "refusal":
                    exact_refusals[0] += text == expected
                    exact_refusals[1] += 1
                if not right:
                    wrong.append((document["intent"], document["messages"][-2]["content"], expected, text))
    figures = {name: {key: share(counts) for key, counts in sorted(table.items())} for name, table in tables.items()}
    figures["call_name"], figures["refusal_same_text"] = share(name_right), share(exact_refusals)
    return figures, wrong


def main():
    given = options()
    figures, wrong = evaluate(given)
    for intent, said, expected, got in wrong[:: max(1, len(wrong) // max(1, given.wrong))][: given.wrong]:
        print(f"{intent}: {said}\n   wanted {expected}\n   got    {got}")
    poor = sorted(figures["intent"].items(), key=lambda item: item[1]["share"])[:25]
    print("poorest:", ", ".join(f"{name} {counts['right']}/{counts['count']}" for name, counts in poor))
    for name in ("group", "group_language", "group_clean"):
        print(name, {key: f"{counts['share']:.3f} of {counts['count']}" for key, counts in figures[name].items()})
    print("call name", figures["call_name"], "refusal same text", figures["refusal_same_text"])
    if given.out:
        with open(given.out, "w", encoding="utf8") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
