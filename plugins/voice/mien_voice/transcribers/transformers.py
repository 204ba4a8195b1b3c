"""Any Hugging Face speech-recognition checkpoint as an engine: Whisper, Moonshine, wav2vec2 and their like.

By hub id or local folder, on the CPU, with PyTorch (the extra ``mien[transformers]``). Nothing is fetched where the
settings or ``HF_HUB_OFFLINE`` forbid it.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np

from mien import AudioClip, InputError, Transcriber, Transcript
from mien_voice import huggingface
from mien_voice.audio import SAMPLE_RATE
from mien_voice.settings import TransformersSettings

NAME: Final = "transformers"

_USER: Final = "the transformers speech engine"
_MIN_SECONDS: Final = 0.1
_SILENCE_PEAK: Final = 1e-3  # -60 dB; Whisper makes up sentences for silence
_MAX_NEW_TOKENS: Final = 220  # 30 s of fast speech have about 120; Whisper's context of 448 holds them and its prompt


class TransformersTranscriber(Transcriber):
    """One model behind a lock. Greedy decoding: the same sound gives the same words.

    Args:
        settings: Which checkpoint, which language, and whether the hub may be asked.

    Raises:
        MissingDependencyError: PyTorch or transformers is not installed.
        PluginError: The checkpoint cannot be found or loaded, or is not one for speech recognition.
    """

    def __init__(self, settings: TransformersSettings) -> None:
        self._torch = huggingface.need("torch", user=_USER)
        self._settings = settings
        self._processor, self._model = _load(settings)
        self._generates = bool(self._model.can_generate())
        self._lock = threading.Lock()

    def transcribe(self, clip: AudioClip) -> Transcript:
        """Recognise one utterance.

        Args:
            clip: 16 kHz mono, up to 30 s.

        Returns:
            The text without word times; the confidence is the geometric mean of the tokens' probabilities.

        Raises:
            InputError: The clip has another rate.
        """
        if clip.sample_rate != SAMPLE_RATE:
            raise InputError(f"speech must be sampled at {SAMPLE_RATE} Hz, got {clip.sample_rate}; resample it first")
        if clip.duration_seconds < _MIN_SECONDS or float(np.abs(clip.samples).max()) < _SILENCE_PEAK:
            return Transcript(text="", language=self._settings.language, engine=NAME, confidence=0.0)
        inputs = self._processor(clip.samples, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        with self._lock, self._torch.inference_mode():
            tokens, log_probabilities = self._generate(inputs) if self._generates else self._align(inputs)
        text = self._processor.batch_decode(tokens, skip_special_tokens=True)[0].strip()
        confidence = float(np.exp(log_probabilities.mean())) if text and len(log_probabilities) else 0.0
        return Transcript(text=text, language=self._settings.language, engine=NAME, confidence=min(confidence, 1.0))

    def _generate(self, inputs: Any) -> tuple[Any, np.ndarray]:
        """Encoder-decoder models (Whisper, Moonshine): tokens ``[1, tokens]`` and their log probabilities."""
        context: int = getattr(self._model.config, "max_target_positions", 2 * _MAX_NEW_TOKENS)
        most = min(_MAX_NEW_TOKENS, context // 2)
        options: dict[str, Any] = {"max_new_tokens": most, "do_sample": False, "num_beams": 1}
        if self._settings.language and getattr(self._model.generation_config, "is_multilingual", False):
            options |= {"language": self._settings.language.split("-")[0].lower(), "task": "transcribe"}
        out = self._model.generate(**inputs, **options, return_dict_in_generate=True, output_scores=True)
        scores = self._model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)
        values = scores[0].numpy()
        return out.sequences, values[np.isfinite(values)]

    def _align(self, inputs: Any) -> tuple[Any, np.ndarray]:
        """Connectionist temporal classification (wav2vec2, HuBERT): the likeliest token of each frame."""
        logits = self._model(**inputs).logits  # [1, frames, vocabulary]
        best = logits.log_softmax(-1).max(-1)
        spoken = best.indices[0] != self._model.config.pad_token_id  # blanks are sure of nothing but silence
        return best.indices, best.values[0][spoken].numpy()


def _load(settings: TransformersSettings) -> tuple[Any, Any]:
    """The processor and the model, on the CPU and ready to run."""
    transformers = huggingface.need("transformers", user=_USER)
    name, only_local = settings.checkpoint, settings.offline
    with huggingface.loading(name, kind="speech-recognition", key="[plugins.voice.transformers] checkpoint"):
        config = transformers.AutoConfig.from_pretrained(name, local_files_only=only_local)
        if type(config) in transformers.AutoModelForSpeechSeq2Seq._model_mapping:
            model_class = transformers.AutoModelForSpeechSeq2Seq
        else:
            model_class = transformers.AutoModelForCTC
        processor = transformers.AutoProcessor.from_pretrained(name, local_files_only=only_local)
        model = model_class.from_pretrained(name, local_files_only=only_local)
    return processor, model.eval()
