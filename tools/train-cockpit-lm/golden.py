"""
Writes what PyTorch makes of some held-out prompts, as golden vectors for other runtimes: token ids, the greedy answer, and the logits of the prompt's last
token (float32, little endian, base64). --help lists the options.
"""

import argparse
import base64
import json
import os

import torch

from evaluate import decoder, greedy, load_model


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="what main.ts wrote")
    parser.add_argument("--weights", required=True, help="model.safetensors")
    parser.add_argument("--out", required=True, help="JSON file to write")
    parser.add_argument("--texts", type=int, default=24, help="prompts with their greedy answers")
    parser.add_argument("--logits", type=int, default=6, help="so many of them with logits too")
    return parser.parse_args()


def main():
    given = options()
    torch.set_num_threads(1)
    model, decode = load_model(given.data, given.weights), decoder(given.data)
    with open(os.path.join(given.data, "heldout.jsonl"), encoding="utf8") as file:
        documents = [json.loads(line) for _, line in zip(range(given.texts), file)]
    cases = []
    with torch.no_grad():
        for index, document in enumerate(documents):
            prompt, end = document["prompt"], document["answer"][-1]
            answer = greedy(model, [prompt], end, 96)[0]
            logits = model.logits(model.hidden(torch.tensor([prompt])))[0]
            # The answer without a cache, token by token, must be the one with it.
            together = model.logits(model.hidden(torch.tensor([prompt + answer])))[0, len(prompt) - 1 : -1].argmax(-1).tolist()
            assert together == answer, f"case {index}: the answer with a cache differs from the one without"
            case = {"messages": document["messages"][:-1], "prompt": prompt, "answer": answer, "text": decode(answer)}
            if index < given.logits:
                case["logits"] = base64.b64encode(logits[-1].numpy().astype("<f4").tobytes()).decode()
            cases.append(case)
    with open(given.out, "w", encoding="utf8") as file:
        json.dump({"origin": f"PyTorch {torch.__version__}, float32", "cases": cases}, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
