"""Checks greedy answers of rlhf4j against transformers, token by token (needs torch and transformers).

    rlhf4j generate --model MODEL --input PROMPTS --prompt-key question --set max_new_tokens=64 --json > ANSWERS
    python check_greedy.py MODEL ANSWERS

Every token has to be the one that transformers takes in fp32 after the same tokens, unless its two best logits are closer
than 1e-4; then either may be. Log-probabilities have to agree to 1e-3, and an answer that ended has to end with an end
token.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

TIE = 1e-4
LOG_PROBS = 1e-3


@torch.no_grad()
def check(model, tokenizer, answer, ends):
    messages = [{"role": "user", "content": answer["prompt"]}]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
    response = answer["response_ids"]
    logits = model(torch.tensor([prompt + response])).logits[0, len(prompt) - 1 : -1].float()
    best = logits.topk(2).values
    ties = (best[:, 0] - best[:, 1] < TIE).tolist()
    taken = logits.argmax(-1).tolist()
    others = [i for i, token in enumerate(response) if token != taken[i] and not ties[i]]
    log_probs = torch.log_softmax(logits, -1).gather(1, torch.tensor(response)[:, None])[:, 0]
    gap = float((log_probs - torch.tensor(answer["log_probs"])).abs().max())
    ended = response[-1] in ends
    right = not others and gap < LOG_PROBS and ended == (answer["finish_reason"] != "length")
    print(
        f"{len(response):4d} tokens, {len(others)} differ, {sum(ties)} near ties, log-probs differ by {gap:.1e}"
        f"{'' if right else '  <-- FAILS'}",
        flush=True,
    )
    return right


if __name__ == "__main__":
    directory, answers = sys.argv[1:]
    scorer = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    end = GenerationConfig.from_pretrained(directory).eos_token_id
    with open(answers) as lines:
        results = [
            check(
                scorer,
                AutoTokenizer.from_pretrained(directory),
                json.loads(line),
                end if isinstance(end, list) else [end],
            )
            for line in lines
        ]
    print(f"{sum(results)} of {len(results)} answers agree")
    sys.exit(0 if results and all(results) else 1)
