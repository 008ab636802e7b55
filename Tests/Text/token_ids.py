"""Compares Graft's tokenizers with the `tokenizers` package: ids, types, masks, offsets and decoded texts, on hostile texts.

    python Tests/Text/token_ids.py                           writes the fixtures that the Swift tests read
    python Tests/Text/token_ids.py --check --count 100000    asks the command `graft tokenize` about that many texts, each
                                                             tokenizer, and ends with 1 at a difference

The small tokenizers are trained here on the texts themselves, so that every part of a pipeline is met: they are no one's work.
With `../shared/text` (see CONTRIBUTING.md) MiniLM's and GPT-2's are compared too.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import hostile_texts
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = pathlib.Path(__file__).parents[2]
FIXTURES = ROOT / "Tests/GraftTextTests/Fixtures"
SHARED = pathlib.Path(os.environ.get("GRAFT_SHARED", ROOT / "../shared")) / "text"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def trained(model, trainer, texts=None, **parts):
    tokenizer = Tokenizer(model)
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    tokenizer.train_from_iterator(texts or hostile_texts.texts(400, seed=1), trainer)
    return tokenizer


def bert(cased):
    tokenizer = trained(
        models.WordPiece(unk_token="[UNK]"),
        trainers.WordPieceTrainer(vocab_size=900, special_tokens=SPECIALS, show_progress=False),
        normalizer=normalizers.BertNormalizer(lowercase=not cased),
        pre_tokenizer=pre_tokenizers.BertPreTokenizer(),
        decoder=decoders.WordPiece(),
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def gpt(prefix):
    tokenizer = trained(
        models.BPE(),
        trainers.BpeTrainer(
            vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<s>", "</s>", "<|endoftext|>"],
            show_progress=False),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=prefix),
        decoder=decoders.ByteLevel(),
    )
    if prefix:  # As RoBERTa's.
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=True, add_prefix_space=True)
        tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    else:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def unigram(fallback):
    alphabet = [f"<0x{b:02X}>" for b in range(256)] if fallback else []
    tokenizer = trained(
        models.Unigram(),
        texts=hostile_texts.SENTENCES * 3,  # Its alphabet must fit into the vocabulary.
        trainer=trainers.UnigramTrainer(
            vocab_size=900, unk_token="<unk>", special_tokens=["<unk>", "<s>", "</s>", *alphabet], show_progress=False),
        normalizer=normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(right=True, left=False)]),
        pre_tokenizer=pre_tokenizers.Metaspace(prepend_scheme="always" if fallback else "first"),
        decoder=decoders.Metaspace(prepend_scheme="always" if fallback else "first"),
    )
    stored = json.loads(tokenizer.to_str())
    stored["model"]["byte_fallback"] = fallback
    # The texts hold what the bytes' tokens look like: they are no added tokens in such a tokenizer.
    stored["added_tokens"] = [token for token in stored["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(stored))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B:1 </s>:1", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))])
    return tokenizer


def sentence_piece():
    """BPE with bytes for what is unknown, as Llama's."""
    tokenizer = trained(
        models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
        trainers.BpeTrainer(vocab_size=900, special_tokens=["<unk>", "<s>", "</s>"], limit_alphabet=150, show_progress=False),
        normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
        decoder=decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]),
    )
    stored = json.loads(tokenizer.to_str())
    vocabulary = stored["model"]["vocab"]
    for byte in range(256):
        vocabulary.setdefault(f"<0x{byte:02X}>", len(vocabulary))
    tokenizer = Tokenizer.from_str(json.dumps(stored))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tokenizer


def parts():
    """What other tokenizers are made of: old BPE with prefixes and suffixes, digits, punctuation, added tokens of all kinds."""
    tokenizer = trained(
        models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"),
        trainers.BpeTrainer(
            vocab_size=900, special_tokens=["<unk>", "<s>"], limit_alphabet=200, end_of_word_suffix="</w>", show_progress=False),
        normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]),
        pre_tokenizer=pre_tokenizers.Sequence([
            pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Split("ou", "merged_with_previous")]),
        decoder=decoders.BPEDecoder(),
    )
    tokenizer.add_tokens([
        AddedToken("[mask]", single_word=True), AddedToken("<mask>", lstrip=True, rstrip=True), AddedToken("world", normalized=True),
        AddedToken("ÉCOLE", normalized=True), AddedToken("<extra>", normalized=False, single_word=True), AddedToken("<ex")])
    tokenizer.enable_truncation(24, strategy="longest_first")
    tokenizer.enable_padding(pad_id=0, pad_token="<unk>", length=12, pad_to_multiple_of=8)
    return tokenizer


def words():
    tokenizer = trained(
        models.WordLevel(unk_token="[UNK]"),
        trainers.WordLevelTrainer(vocab_size=500, special_tokens=SPECIALS, show_progress=False),
        normalizer=normalizers.NFC(), pre_tokenizer=pre_tokenizers.WhitespaceSplit())
    tokenizer.enable_truncation(6, direction="left")
    tokenizer.enable_padding(direction="left", pad_id=3, length=6)
    return tokenizer


SMALL = {
    "bert-uncased": lambda: bert(False), "bert-cased": lambda: bert(True), "byte-level": lambda: gpt(False),
    "roberta": lambda: gpt(True), "unigram": lambda: unigram(False), "unigram-bytes": lambda: unigram(True),
    "sentence-piece": sentence_piece, "parts": parts, "words": words,
}


def shared():
    """Tokenizers that people use, where they are there."""
    found = {}
    if (SHARED / "minilm/tokenizer.json").exists():
        tokenizer = Tokenizer.from_file(str(SHARED / "minilm/tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        found["minilm"] = tokenizer
    if (SHARED / "gpt2-tokenizer/vocab.json").exists():
        model = models.BPE.from_file(str(SHARED / "gpt2-tokenizer/vocab.json"), str(SHARED / "gpt2-tokenizer/merges.txt"))
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=True, add_prefix_space=False)
        tokenizer.add_special_tokens(["<|endoftext|>"])
        found["gpt2"] = tokenizer
    return found


def byte_offsets(offsets, *texts):
    """Python counts characters, Graft bytes. Which of two texts an offset is of is known by where the first has it."""
    out = []
    for (start, end), text in zip(offsets, texts):
        out.append([len(text[:start].encode()), len(text[:end].encode())] if text is not None and end > start else [0, 0])
    return out


def expected(tokenizer, case):
    text, pair = case["text"], case.get("pair")
    encoding = tokenizer.encode(text, pair, add_special_tokens=case.get("special", True))
    sources = [None if s is None else (text, pair)[s] for s in encoding.sequence_ids]
    return {
        "ids": encoding.ids, "type_ids": encoding.type_ids, "mask": encoding.attention_mask,
        "offsets": byte_offsets(encoding.offsets, *sources), "decoded": tokenizer.decode(encoding.ids),
    }


def cases(count, seed):
    """Most texts alone, some in pairs, some without special tokens."""
    texts = hostile_texts.texts(count, seed)
    out = []
    for number, text in enumerate(texts):
        case = {"text": text}
        if number % 7 == 3:
            case["pair"] = texts[number - 1]
        if number % 5 == 4:
            case["special"] = False
        out.append(case)
    return out


def write():
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for name, make in SMALL.items():
        path = FIXTURES / f"{name}.tokenizer.json"
        tokenizer = make()
        path.write_text(tokenizer.to_str())
        tokenizer = Tokenizer.from_str(path.read_text())
        lines = [{**case, "expected": expected(tokenizer, case)} for case in cases(160, seed=2)]
        text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
        (FIXTURES / f"{name}.cases.jsonl").write_text(text)
    print(f"{len(SMALL)} tokenizers in {FIXTURES.relative_to(ROOT)}")


def outcome(got, want):
    """What differs; offsets of no bytes say nothing."""
    for key, value in want.items():
        mine = got.get(key)
        if key == "offsets":
            mine = [[start, end] if end > start else [0, 0] for start, end in zip(got["starts"], got["ends"], strict=True)]
        if mine != value:
            return key
    return None


def check(count, seed, command):
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, tokenizer in {**{name: None for name in SMALL}, **shared()}.items():
            path = FIXTURES / f"{name}.tokenizer.json"
            if tokenizer is None:
                tokenizer = Tokenizer.from_file(str(path))
            else:
                path = pathlib.Path(folder) / f"{name}.json"
                path.write_text(tokenizer.to_str())
            asked = cases(count, seed)
            questions = pathlib.Path(folder) / "cases.jsonl"
            questions.write_text("".join(json.dumps(case) + "\n" for case in asked))
            answers = subprocess.run([*command, str(path), str(questions)], check=True, capture_output=True).stdout
            wrong = []
            for case, line in zip(asked, answers.split(b"\n"), strict=False):
                got, want = json.loads(line), expected(tokenizer, case)
                if (key := outcome(got, want)) is not None:
                    wrong.append((key, case, got.get(key), want[key]))
            print(f"{name}: {len(asked)} texts, {len(wrong)} differ")
            for key, case, got, want in wrong[:3]:
                print(f"  {key} of {case!r}\n    Graft      {got!r}\n    tokenizers {want!r}")
            failures += len(wrong)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare")
    parser.add_argument("--count", type=int, default=2000, help="how many texts (%(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="which texts (%(default)s)")
    parser.add_argument("--command", default=str(ROOT / ".build/release/graft") + " tokenize --json", help="what answers")
    options = parser.parse_args()
    if options.check:
        sys.exit(1 if check(options.count, options.seed, options.command.split()) else 0)
    write()


main()
