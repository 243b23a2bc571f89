"""Trains the model of the cockpit on what main.ts wrote; goes on where an earlier run stopped. --help lists the options."""

import argparse
import csv
import json
import math
import os
import signal
import time

import numpy as np
import torch
import torch.distributed as distributed
import torch.multiprocessing as multiprocessing
import torch.nn.functional as F

from model import Llama, read_safetensors, write_safetensors

WEIGHT_SHIFT, ID_MASK = 14, (1 << 14) - 1


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="what main.ts wrote: model/, train.tokens, train.lengths, heldout.jsonl")
    parser.add_argument("--run", required=True, help="where checkpoints, the log and model.safetensors go")
    parser.add_argument("--weights", help="model.safetensors to begin with where the run has no checkpoint yet; --from-tokens says what they have seen")
    parser.add_argument("--tokens", type=float, default=25e6, help="tokens to see in all, padding not counted; the learning rate follows a cosine over them")
    parser.add_argument("--from-tokens", type=float, default=0, help="where that cosine begins; a run that goes on after its end begins another there")
    parser.add_argument("--minutes", type=float, help="the cosine ends after so much time at the latest, however few tokens that gave; for one process")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--heard-weight", type=float, default=0.1, help="what a token of the user counts beside one of the assistant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, help="each takes its share of every batch; on a machine that others use too they beat threads")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--float32", action="store_true", help="no bfloat16 products")
    parser.add_argument("--checkpoint-seconds", type=float, default=120)
    return parser.parse_args()


class Conversations:
    """All conversations in one array; batches of like length in an order that the seed and the epoch decide."""

    def __init__(self, directory, context, batch_tokens, seed):
        packed = np.fromfile(os.path.join(directory, "train.tokens"), dtype=np.uint16)
        self.lengths = np.fromfile(os.path.join(directory, "train.lengths"), dtype=np.uint32).astype(np.int64)
        self.starts = np.concatenate(([0], np.cumsum(self.lengths)[:-1]))
        self.ids, self.weights = (packed & ID_MASK).astype(np.int64), packed >> WEIGHT_SHIFT
        self.context, self.batch_tokens, self.seed = context, batch_tokens, seed

    def batches(self, epoch):
        random = np.random.RandomState(self.seed * 1000 + epoch)
        order = random.permutation(len(self.lengths))
        for start in range(0, len(order), 8192):
            chunk = order[start : start + 8192]
            chunk = chunk[np.argsort(self.lengths[chunk], kind="stable")]
            groups, group = [], []
            for document in chunk:
                if group and (len(group) + 1) * min(self.lengths[document], self.context) > self.batch_tokens:
                    groups.append(group)
                    group = []
                group.append(document)
            groups.append(group)
            for index in random.permutation(len(groups)):
                yield self.gather(groups[index])

    def gather(self, documents):
        """ids [batch, tokens] padded at the end, and weights of each token as a target, 0..2."""
        tokens = int(min(max(self.lengths[documents]), self.context))
        ids = np.zeros((len(documents), tokens), dtype=np.int64)
        weights = np.zeros((len(documents), tokens), dtype=np.uint8)
        for row, document in enumerate(documents):
            start, length = self.starts[document], int(min(self.lengths[document], tokens))
            ids[row, :length] = self.ids[start : start + length]
            weights[row, :length] = self.weights[start : start + length]
        return ids, weights, int(np.minimum(self.lengths[documents], tokens).sum())


def losses_of(model, ids, weights, heard_weight, device):
    """
    The sum of cross entropy over what is to be learnt and what its tokens count together, and the same over the assistant's tokens alone. Only those
    positions reach the vocabulary.
    """
    ids, weights = torch.from_numpy(ids).to(device), torch.from_numpy(weights).to(device)
    hidden = model.hidden(ids[:, :-1]).reshape(-1, model.config["hidden_size"])
    targets, kind = ids[:, 1:].reshape(-1), weights[:, 1:].reshape(-1)
    chosen = (kind > 0).nonzero().squeeze(1)
    losses = F.cross_entropy(model.logits(hidden[chosen]), targets[chosen], reduction="none")
    said = (kind[chosen] == 2).float()
    shares = said + (1 - said) * heard_weight
    return (losses * shares).sum(), shares.sum().item(), (losses * said).sum().item(), said.sum().item()


def heldout_batches(directory, context, count):
    """Answers of held-out conversations as batches, to watch what the model makes of sentences it never sees."""
    with open(os.path.join(directory, "heldout.jsonl"), encoding="utf8") as file:
        documents = [json.loads(line) for _, line in zip(range(count), file)]
    rows = sorted((d["prompt"] + d["answer"], len(d["answer"])) for d in documents if len(d["prompt"] + d["answer"]) <= context)
    rows.sort(key=lambda row: len(row[0]))
    for start in range(0, len(rows), 32):
        part = rows[start : start + 32]
        ids = np.zeros((len(part), len(part[-1][0])), dtype=np.int64)
        weights = np.zeros(ids.shape, dtype=np.uint8)
        for row, (tokens, answer) in enumerate(part):
            ids[row, : len(tokens)] = tokens
            weights[row, len(tokens) - answer : len(tokens)] = 2
        yield ids, weights


class Trainer:
    def __init__(self, given, rank):
        self.given, self.rank, self.begun = given, rank, time.monotonic()
        torch.set_num_threads(given.threads)
        torch.manual_seed(given.seed)
        with open(os.path.join(given.data, "model", "config.json"), encoding="utf8") as file:
            config = json.load(file)
        self.model = Llama(config).to(given.device)
        if not given.float32:
            self.model.use_bf16()
        matrices = [p for p in self.model.parameters() if p.dim() > 1]
        vectors = [p for p in self.model.parameters() if p.dim() == 1]
        groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=given.rate, betas=(0.9, 0.98), eps=1e-8)
        self.data = Conversations(given.data, config["max_position_embeddings"], given.batch_tokens, given.seed)
        self.state = {"step": 0, "tokens": 0, "epoch": 0, "batch": 0, "active_seconds": 0.0, "data": os.path.realpath(given.data)}
        os.makedirs(given.run, exist_ok=True)
        self.checkpoint_path = os.path.join(given.run, "checkpoint.pt")
        if os.path.exists(self.checkpoint_path):
            self.load()
        elif given.weights:
            self.model.load_state_dict(read_safetensors(given.weights))
            self.state["tokens"] = int(given.from_tokens)
        self.is_asked, self.is_stopping = False, False

    def load(self):
        saved = torch.load(self.checkpoint_path, map_location=self.given.device)
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        before = self.state["data"]
        self.state.update(saved["state"])
        if self.state["data"] != before:
            print(f"other data than before: {before}", flush=True)
            self.state.update({"data": before, "epoch": 0, "batch": 0})

    def save(self):
        """Whole or not at all: a process that dies here leaves the checkpoint before."""
        content = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "state": self.state}
        torch.save(content, self.checkpoint_path + ".new")
        os.replace(self.checkpoint_path + ".new", self.checkpoint_path)
        weights = os.path.join(self.given.run, "model.safetensors")
        write_safetensors(weights + ".new", dict(self.model.named_parameters()))
        os.replace(weights + ".new", weights)

    def part(self):
        """How much of the cosine is over, 0..1."""
        by_tokens = (self.state["tokens"] - self.given.from_tokens) / (self.given.tokens - self.given.from_tokens)
        by_time = (time.monotonic() - self.begun) / (60 * self.given.minutes) if self.given.minutes else 0.0
        return min(1.0, max(0.0, by_tokens, by_time))

    def rate(self):
        """Warms up over some hundred batches from where the cosine begins, then half a cosine down to a hundredth."""
        seen = max(0.0, self.state["tokens"] - self.given.from_tokens)
        part = self.part()
        warm = min(1.0, (seen / self.given.batch_tokens + 1) / 100)
        return self.given.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))

    def step(self, ids, weights):
        """One step on a batch, of which each process takes every so many rows; all of them end with the same weights."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.optimizer.zero_grad(set_to_none=True)
        own = slice(self.rank, None, self.given.processes)
        sums = [0.0, 0.0, 0.0]
        if len(ids[own]) > 0:
            loss, *sums = losses_of(self.model, ids[own], weights[own], self.given.heard_weight, self.given.device)
            loss.backward()
        parameters = list(self.model.parameters())
        gradients = [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in parameters]
        together = torch.cat([*gradients, torch.tensor([*sums, float(self.is_asked)], device=self.given.device)])
        if self.given.processes > 1:
            distributed.all_reduce(together)
        *sums, stopping = together[-4:].tolist()
        self.is_stopping = stopping > 0
        offset = 0
        for parameter in parameters:
            parameter.grad = together[offset : offset + parameter.numel()].view_as(parameter) / sums[0]
            offset += parameter.numel()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimizer.step()
        return sums[1] / max(1.0, sums[2])

    def heldout_loss(self):
        with torch.no_grad():
            sums = [losses_of(self.model, *batch, 0.0, self.given.device) for batch in heldout_batches(self.given.data, self.data.context, 320)]
        return sum(said for *_, said, _ in sums) / sum(count for *_, count in sums)

    def run(self):
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        if self.rank > 0:
            self.loop(None, None)
            return
        log_path = os.path.join(self.given.run, "log.csv")
        is_new = not os.path.exists(log_path)
        with open(log_path, "a", newline="", encoding="utf8") as file:
            log = csv.writer(file)
            if is_new:
                log.writerow(["step", "tokens", "loss", "heldout_loss", "rate", "tokens_per_second", "active_seconds"])
            self.loop(log, file)
        self.save()
        print("stopped" if self.is_stopping else "finished", json.dumps(self.state), flush=True)

    def loop(self, log, file):
        recent, durations, last_save = [], [], time.monotonic()
        while self.part() < 1 and not self.is_stopping:
            for number, (ids, weights, tokens) in enumerate(self.data.batches(self.state["epoch"])):
                if number < self.state["batch"]:
                    continue
                begun = time.monotonic()
                recent.append(self.step(ids, weights))
                seconds = time.monotonic() - begun
                # A step in which the process was held up (SIGSTOP, a suspended machine) counts as one like its neighbours.
                usual = sorted(durations[-50:])[len(durations[-50:]) // 2] if durations else seconds
                durations.append(min(seconds, 4 * usual))
                self.state["active_seconds"] += durations[-1]
                self.state["tokens"] += tokens
                self.state["step"] += 1
                self.state["batch"] = number + 1
                if self.rank == 0 and self.state["step"] % 50 == 0:
                    heldout = self.heldout_loss() if self.state["step"] % 250 == 0 else ""
                    self.report(log, file, sum(recent) / len(recent), heldout, tokens / (sum(durations[-50:]) / len(durations[-50:])))
                    recent = []
                if self.rank == 0 and time.monotonic() - last_save > self.given.checkpoint_seconds:
                    self.save()
                    last_save = time.monotonic()
                if self.is_stopping or self.part() >= 1:
                    return
            self.state["epoch"] += 1
            self.state["batch"] = 0

    def report(self, log, file, loss, heldout, speed):
        state = self.state
        left = (self.given.tokens - state["tokens"]) / speed
        log.writerow([state["step"], state["tokens"], f"{loss:.4f}", heldout and f"{heldout:.4f}", f"{self.rate():.6f}", f"{speed:.0f}", f"{state['active_seconds']:.0f}"])
        file.flush()
        share = 100 * state["tokens"] / self.given.tokens
        held = f" held out {heldout:.4f}" if heldout else ""
        print(f"step {state['step']} {share:.1f}% loss {loss:.4f}{held} {speed:.0f} tokens/s {left / 60:.0f} min left", flush=True)

    def stop(self, *_):
        """All processes stop after the same step: the wish goes round with the gradients."""
        self.is_asked = True


def work(rank, given):
    if given.processes > 1:
        # A file and not a port: nothing listens on the network.
        meeting = "file://" + os.path.realpath(os.path.join(given.run, "meeting"))
        distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=given.processes)
    Trainer(given, rank).run()


def main():
    given = options()
    if given.minutes and given.processes > 1:
        raise SystemExit("--minutes needs --processes 1: the clocks of two would part their weights")
    os.makedirs(given.run, exist_ok=True)
    meeting = os.path.join(given.run, "meeting")
    if os.path.exists(meeting):
        os.remove(meeting)
    others = [multiprocessing.get_context("spawn").Process(target=work, args=(rank, given), daemon=True) for rank in range(1, given.processes)]
    for other in others:
        other.start()
    work(0, given)
    for other in others:
        other.join()


if __name__ == "__main__":
    main()
