"""Checks directories that rlhf4j exported against transformers (needs torch and transformers).

    python check_exports.py EXPORTS

EXPORTS/<name>/causal and EXPORTS/<name>/score are model directories, EXPORTS/<name>/numbers.json holds token rows and
what rlhf4j computed for them: the log-probability of each next token, and the score of each row. A reward model has
scores alone.
`mvn -pl common test -Dtest=TransformersCrossCheckTest -Drlhf4j.python=PYTHON` makes them and runs this script.
"""

import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

TOLERANCE = 1e-4


def load(kind, directory):
    model, report = kind.from_pretrained(directory, dtype=torch.float32, output_loading_info=True)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not report.get(key), f"{directory}: {key}: {report[key]}"
    return model.eval()


def next_log_probs(model, row):
    ids = torch.tensor([row])
    logits = model(ids).logits[0, :-1].float()
    return torch.log_softmax(logits, -1).gather(1, ids[0, 1:, None])[:, 0]


def scores(model, rows):
    pad = model.config.pad_token_id
    length = max(map(len, rows))
    ids = torch.tensor([row + [pad] * (length - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows])
    return model(ids, attention_mask=mask).logits[:, 0].float()


@torch.no_grad()
def check(folder):
    numbers = json.loads((folder / "numbers.json").read_text())
    worst = 0.0
    if "nextLogProbs" in numbers:
        causal = load(AutoModelForCausalLM, folder / "causal")
        for row, expected in zip(numbers["ids"], numbers["nextLogProbs"]):
            worst = max(worst, float((next_log_probs(causal, row) - torch.tensor(expected)).abs().max()))
    scorer = load(AutoModelForSequenceClassification, folder / "score")
    gap = float((scores(scorer, numbers["ids"]) - torch.tensor(numbers["scores"])).abs().max())
    log_probs = f"log-probs differ by {worst:.1e}, " if "nextLogProbs" in numbers else ""
    print(f"{folder.name}: {log_probs}scores differ by {gap:.1e}", flush=True)
    return worst < TOLERANCE and gap < TOLERANCE


if __name__ == "__main__":
    results = [check(folder) for folder in sorted(pathlib.Path(sys.argv[1]).iterdir())]
    sys.exit(0 if results and all(results) else 1)
