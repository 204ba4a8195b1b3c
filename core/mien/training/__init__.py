"""One loop and one kind of checkpoint for everything that is trained; what is trained is the laboratories'.

A laboratory brings a ``Learner``: its network, how one step is made, how the network is judged. ``train`` brings
epochs, patience, the choice of the best epoch, a journal with curves, and a checkpoint after each epoch, from which an
interrupted run goes on to the very weights of an unbroken one. Nothing heavy is imported until it is used.
"""

from mien.training.checkpoint import Checkpoints, Kind
from mien.training.journal import Curves, EpochReport
from mien.training.learner import Data, Figures, Learner
from mien.training.loop import Observer, Trained, train
from mien.training.progress import PlainLines, shown
from mien.training.schedule import Decline, Plateau, Schedule

__all__ = [
    "Checkpoints",
    "Curves",
    "Data",
    "Decline",
    "EpochReport",
    "Figures",
    "Kind",
    "Learner",
    "Observer",
    "PlainLines",
    "Plateau",
    "Schedule",
    "Trained",
    "shown",
    "train",
]
