"""A kiosk: follows one customer after the other, with a camera and perhaps a microphone, or with files in their place.

``Kiosk`` is the whole of it; where pictures and sound come from (``Feed``), who analyses them (``Brain``) and who is
shown what happens (``mien.KioskView``) are handed in.
"""

from mien.kiosk.brain import Brain, Interaction
from mien.kiosk.feed import Feed
from mien.kiosk.kiosk import Kiosk

__all__ = ["Brain", "Feed", "Interaction", "Kiosk"]
