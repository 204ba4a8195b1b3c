"""Tiny checkpoints with random weights, built and saved in a moment; what they say is gibberish."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase

END, START, NO_TIMES = "<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"


def save_whisper(folder: Path) -> Path:
    """An encoder-decoder model: one layer each, 16 wide, that spells with single letters."""
    import torch
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    torch.manual_seed(0)
    special = [END, START, "<|en|>", "<|transcribe|>", "<|translate|>", NO_TIMES]
    pieces = [*ascii_lowercase, "Ġ", *(f"Ġ{letter}" for letter in ascii_lowercase), *special]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = WhisperTokenizer(
        vocab=vocabulary, merges=[], unk_token=END, bos_token=END, eos_token=END, pad_token=END
    )
    tokenizer.add_special_tokens({"additional_special_tokens": special[1:]})
    WhisperProcessor(WhisperFeatureExtractor(feature_size=16), tokenizer).save_pretrained(folder)
    end, start = vocabulary[END], vocabulary[START]
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(tokenizer),
            num_mel_bins=16,
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            max_target_positions=64,
            decoder_start_token_id=start,
            bos_token_id=end,
            eos_token_id=end,
            pad_token_id=end,
            suppress_tokens=None,
            begin_suppress_tokens=[end],
        )
    )
    model.generation_config = GenerationConfig(
        decoder_start_token_id=start,
        eos_token_id=end,
        pad_token_id=end,
        is_multilingual=False,
        begin_suppress_tokens=[end],
        no_timestamps_token_id=vocabulary[NO_TIMES],
    )
    model.save_pretrained(folder)
    return folder


def save_wav2vec2(folder: Path) -> Path:
    """A model with connectionist temporal classification: one layer, 16 wide."""
    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    pieces = ["<pad>", "<s>", "</s>", "<unk>", "|", *ascii_lowercase]
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({piece: index for index, piece in enumerate(pieces)}))
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), Wav2Vec2CTCTokenizer(str(vocabulary))).save_pretrained(folder)
    config = Wav2Vec2Config(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    return folder


def save_text_classifier(folder: Path, labels: Sequence[str], *, several: bool = False, head: bool = True) -> Path:
    """A text model: one layer, 16 wide, that knows a few words; without a head it classifies nothing.

    Args:
        folder: Where to.
        labels: Of its outputs.
        several: Whether several labels may be true at once.
        head: Whether it has a layer that classifies.
    """
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "the", "food", "was", "good", "bad", "thank", "you", "i", "am", "angry"]
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=16
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        problem_type=f"{'multi' if several else 'single'}_label_classification",
        initializer_range=1.0,  # so that different texts get different answers
    )
    (BertForSequenceClassification if head else BertModel)(config).save_pretrained(folder)
    return folder
