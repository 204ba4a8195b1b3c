"""Tiny speech-recognition checkpoints with random weights, built and saved in a moment; what they say is gibberish."""

from __future__ import annotations

import json
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
