"""Checks what `rlhf4j chat` answers greedily against transformers (needs torch and transformers).

    rlhf4j chat --model MODEL --set max_new_tokens=64 < TYPED > ANSWERED
    python check_chat.py MODEL TYPED ANSWERED 64

TYPED holds a question a line, with /new after each, so that every answer follows on its question alone. The text has to be
the one that transformers generates in fp32. Where the two best logits of a token are closer than 1e-4 either may come, so
an answer with such a token is not compared, and counted.
"""

import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

TIE = 1e-4


@torch.no_grad()
def answer(model, tokenizer, question, ends, length):
    messages = [{"role": "user", "content": question}]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
    cache, taken, gap = None, [], float("inf")
    while len(taken) < length and (not taken or taken[-1] not in ends):
        output = model(ids, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        best = output.logits[0, -1].float().topk(2)
        gap = min(gap, float(best.values[0] - best.values[1]))
        taken.append(int(best.indices[0]))
        ids = torch.tensor([[taken[-1]]])
    return tokenizer.decode(taken, skip_special_tokens=True), gap


if __name__ == "__main__":
    directory, typed, answered, length = sys.argv[1:]
    causal = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    words = AutoTokenizer.from_pretrained(directory)
    end = GenerationConfig.from_pretrained(directory).eos_token_id
    end = end if isinstance(end, list) else [end]
    rest = open(answered, encoding="utf-8").read()
    right = wrong = ties = 0
    for line in open(typed, encoding="utf-8").read().splitlines():
        if line == "/new":
            continue
        expected, gap = answer(causal, words, line, end, int(length))
        expected += "\n"
        if rest.startswith(expected):
            right += 1
            rest = rest[len(expected) :]
        elif gap < TIE:
            ties += 1
            print(f"not compared, and nothing behind it (a gap of {gap:.1e}): {line[:60]}")
            break
        else:
            wrong += 1
            print(f"differs: {line[:60]}\n  expected {expected[:200]!r}\n  answered {rest[:200]!r}")
            break
    print(f"{right} answers agree, {wrong} differ, {ties} near a tie")
    sys.exit(0 if right and not wrong else 1)
