"""Speech models as files: which there are, where they lie on this machine, whether they are whole, how they come here.

No engine here: ``mien_voice.transcribers.whisper`` loads what this finds.
"""
