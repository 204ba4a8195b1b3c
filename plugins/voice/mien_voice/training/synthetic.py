"""Sentences of customer-service language, made from our own templates, to teach what Reddit does not say.

GoEmotions has next to no counters, orders and refunds, and few plain negations. Each template carries the labels of the
sentences it makes. None of the sentences of the behavioural suite is among them; a test holds that.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One sentence with what it expresses.

    Attributes:
        text: The sentence.
        emotions: Some of GoEmotions' 28 labels, at least one.
        satisfaction: [0, 1]; 0.5 says nothing either way.
    """

    text: str
    emotions: tuple[str, ...]
    satisfaction: float


@dataclass(frozen=True, slots=True)
class _Template:
    patterns: tuple[str, ...]
    emotions: tuple[str, ...]
    satisfaction: float


_SLOTS: Final[dict[str, tuple[str, ...]]] = {
    "thing": (
        "the food", "the coffee", "my order", "the room", "the service", "the app", "the delivery", "the website",
        "my ticket", "the phone", "the flight", "the parcel", "the checkout", "the soup", "this laptop", "the repair",
        "the support", "your shop", "the machine", "the booking", "the screen", "the product", "the whole experience",
        "the waiter", "the store", "the printer", "my luggage", "the call", "the meal", "the hotel", "the queue",
    ),
    "person": (
        "the lady at the counter", "your colleague", "the driver", "the technician", "the man at the desk", "the staff",
        "the waitress", "the agent", "your team", "the cashier", "the receptionist", "everybody here", "the guy on the phone",
        "he", "she", "they", "the manager", "the person i spoke to",
    ),
    "good": (
        "good", "great", "excellent", "wonderful", "lovely", "fantastic", "perfect", "amazing", "brilliant", "superb",
        "very nice", "really good", "so easy", "spotless", "delicious", "quick", "better than i expected", "smooth",
        "top notch", "absolutely fine", "first class", "very pleasant",
    ),
    "kind": (
        "helpful", "friendly", "kind", "patient", "polite", "lovely", "professional", "very helpful", "so sweet", "attentive",
        "welcoming", "quick and friendly", "really understanding", "nice",
    ),
    "bad": (
        "bad", "terrible", "awful", "horrible", "poor", "slow", "broken", "dirty", "cold", "late", "useless", "a joke",
        "disappointing", "a mess", "dreadful", "overpriced", "faulty", "a disaster", "too expensive", "worse every time",
        "damaged", "completely wrong", "a waste of money", "stale", "shocking", "disgusting",
    ),
    "unkind": (
        "rude", "unhelpful", "impatient", "dismissive", "arrogant", "careless", "unfriendly", "so rude", "incompetent",
        "condescending", "very unprofessional", "bored", "no help at all",
    ),
    "happy": ("happy", "pleased", "satisfied", "delighted", "impressed", "glad", "content", "thrilled"),
    "cross": ("angry", "furious", "annoyed", "frustrated", "upset", "disappointed", "fed up", "livid", "irritated", "unhappy"),
    "very": ("", "", "really ", "very ", "so ", "quite ", "extremely ", "absolutely "),
    "time": ("ten minutes", "an hour", "45 minutes", "two hours", "three weeks", "half an hour", "20 minutes", "four days",
             "all morning", "a month", "90 minutes", "forever"),  # fmt: skip
    "times": ("twice", "three times", "four times", "again and again", "for the third time", "every single time", "5 times"),
    "place": ("the station", "room twelve", "the exit", "platform 9", "the second floor", "the car park", "the airport",
              "the front desk", "gate 4", "the nearest branch"),  # fmt: skip
    "item": ("a coffee", "two tickets", "a blue shirt", "a small pizza", "the chicken", "a single room", "a return ticket",
             "size ten", "a table for two", "the red one", "a window seat", "an espresso", "a receipt"),  # fmt: skip
    "when": ("tomorrow", "at six", "on monday", "next week", "at half past two", "on the 14th", "this evening", "in june"),
    "please": ("please ", "", "", "could you please ", "can you "),
    "so": ("", "", "", "well ", "so ", "um ", "oh ", "okay ", "hi ", "look ", "honestly ", "to be honest "),
}

_TEMPLATES: Final[tuple[_Template, ...]] = (
    _Template(
        (
            "thank you {very}much", "thanks for your help", "thank you {thing} was {good}", "thanks {person} was {kind}",
            "thank you for sorting {thing}", "many thanks for the quick reply", "thanks a lot that was {kind} of you",
            "i appreciate your help with {thing}", "thank you for being {kind}", "cheers that's {good}",
            "thanks again for fixing {thing}", "i am grateful that {person} helped me",
        ),
        ("gratitude",),
        0.95,
    ),  # fmt: skip
    _Template(
        (
            "{thing} was {good}", "{thing} is {very}{good}", "{person} was {kind}", "{person} was {very}{kind} and {thing} was {good}",
            "i love {thing}", "i really like {thing}", "that is {good}", "everything was {good}", "what a {good} place",
            "{thing} works perfectly", "{person} did a {good} job", "we had a {good} time", "best {item} i have had",
            "i would recommend you to anyone", "a clear nine out of ten from me", "five stars for {thing}", "full marks", "{thing} came early",
            "{thing} arrived on time and was {good}", "you fixed {thing} in {time} that's {good}", "i will come back",
        ),
        ("admiration",),
        0.93,
    ),  # fmt: skip
    _Template(
        (
            "i am {very}{happy} with {thing}", "i'm {happy}", "we are {very}{happy} with how {person} helped us",
            "so {happy} that {thing} works now", "{thing} made my day", "i enjoyed {thing}", "it was a pleasure",
            "i'm {happy} with that thank you", "i couldn't be more {happy}", "i have never been so {happy} with {thing}",
        ),
        ("joy",),
        0.95,
    ),  # fmt: skip
    _Template(
        (
            "{thing} was not {bad}", "it isn't {bad} at all", "{thing} wasn't {bad} at all", "no complaints about {thing}",
            "no problems with {thing}", "nothing wrong with {thing}", "i can't complain about {thing}", "i have no complaints",
            "{person} was not {unkind} at all", "i was not {cross} at all", "{thing} never lets me down", "that was no trouble",
            "not a single problem with {thing}", "{thing} was never {bad}", "i'm not {cross} it's fine", "you can't go wrong here",
            "without any problems", "i don't have any issues with {thing}", "that works for me", "yes that's fine", "sounds good",
            "yes please that's right", "fair enough that makes sense", "okay good",
        ),
        ("approval",),
        0.75,
    ),  # fmt: skip
    _Template(
        (
            "finally {thing} works", "phew {thing} came", "what a relief that {thing} is fixed", "thank goodness {person} found it",
            "at last someone who can help", "i was worried about {thing} but it's {good} now", "i'm relieved {thing} is sorted",
        ),
        ("relief",),
        0.78,
    ),  # fmt: skip
    _Template(
        (
            "{thing} was {bad} at first but {person} was {kind} and fixed it", "i was {cross} about {thing} but now i'm {happy}",
            "{thing} took {time} but it was worth it", "{thing} used to be {bad} and now it is {good}",
        ),
        ("approval", "admiration"),
        0.78,
    ),  # fmt: skip
    _Template(
        (
            "i am {very}{cross}", "i'm {very}{cross} about {thing}", "{person} was {unkind} and i am {cross}", "this is unacceptable",
            "how dare you talk to me like that", "i want to speak to the manager now", "i have been lied to {times}",
            "{thing} broke {times} i want my money back", "you charged me {times}", "this is outrageous i waited {time}",
            "stop wasting my time", "i am sick of {thing}", "nobody listens i told you {times}", "you are all {unkind}",
        ),
        ("anger",),
        0.03,
    ),  # fmt: skip
    _Template(
        (
            "i have been waiting for {time}", "i waited {time} and nobody came", "still waiting after {time}", "i called {times} already",
            "{thing} is {bad} again", "why does {thing} always take {time}", "{person} kept me waiting for {time}",
            "i had to ask {times}", "i have explained this {times}", "{person} hung up on me", "{person} was {very}{unkind}",
            "how hard can it be to fix {thing}", "nobody answers the phone", "you keep sending me to someone else", "so {bad}",
            "{thing} doesn't work", "{thing} stopped working", "{thing} crashed {times}", "you got {thing} wrong {times}",
        ),
        ("annoyance",),
        0.08,
    ),  # fmt: skip
    _Template(
        (
            "{thing} was {bad}", "{thing} is {very}{bad}", "{thing} was {bad} and {person} was {unkind}", "i expected more from {thing}",
            "i expected better", "what a let down {thing} was", "{thing} never arrived", "they sent {item} and i wanted {item}",
            "{thing} isn't what i paid for", "{thing} used to be {good} now it's {bad}", "i won't be coming back", "never again will i book here", "i am never doing this again",
            "i was {happy} with {thing} but now it's {bad}", "{person} was {kind} but {thing} was {bad}", "two out of ten",
            "one star", "zero stars for {thing}", "three out of ten at best", "worst {item} i ever had", "i regret buying {item}",
            "i want a refund for {thing}", "i'd like to return {item} it is {bad}", "sadly {thing} was {bad}", "not worth the money",
        ),
        ("disappointment",),
        0.07,
    ),  # fmt: skip
    _Template(
        (
            "i am not {happy} with {thing}", "i'm not {happy}", "we are not {happy} at all", "{thing} was not {good}",
            "{thing} isn't {good}", "{thing} wasn't {good} at all", "{person} was not {kind}", "{person} wasn't {kind} at all",
            "i don't like {thing}", "i do not recommend {thing}", "i can't say i'm {happy}", "{thing} is far from {good}",
            "not {good}", "not {kind} at all", "nobody was {kind}", "nothing about {thing} was {good}", "{thing} is no longer {good}",
            "i wouldn't call {thing} {good}", "i was never {happy} with {thing}", "hardly {good}", "{thing} doesn't make me {happy}",
        ),
        ("disappointment", "disapproval"),
        0.1,
    ),  # fmt: skip
    _Template(
        (
            "no that's wrong", "no that is not what i asked for", "no i don't want that", "i don't agree with that charge",
            "that's not right", "i don't think that's fair", "no i won't pay for that", "no stop", "absolutely not",
            "i refuse to pay {item}", "you can't do that", "that is not acceptable",
        ),
        ("disapproval",),
        0.18,
    ),  # fmt: skip
    _Template(
        (
            "great {thing} is {bad} again", "oh {good} another {time} of waiting", "well thanks for nothing i guess", "thanks for absolutely nothing", "well done you lost {thing} again",
            "{good} just {good} {thing} is {bad}", "oh {good} {thing} broke again", "nice job ruining {thing}", "yeah right {thing} is {good}",
            "wow {time} for {item} how {good}", "i just love waiting {time}", "thanks a lot now {thing} is {bad}",
            "fantastic i get to call {times}", "what a {good} way to treat customers", "sure because {thing} never fails",
        ),
        ("annoyance",),
        0.08,
    ),  # fmt: skip
    _Template(
        (
            "{thing} was disgusting", "there was a hair in {thing}", "{thing} smelled rotten", "{thing} was filthy", "gross {thing} is mouldy",
            "the toilet was filthy and it stank",
        ),
        ("disgust",),
        0.04,
    ),  # fmt: skip
    _Template(
        (
            "i'm worried about {thing}", "i am afraid {thing} is lost", "i'm nervous about {thing}", "is it safe i'm scared",
            "i'm anxious that {thing} won't come {when}",
        ),
        ("nervousness", "fear"),
        0.32,
    ),  # fmt: skip
    _Template(
        (
            "sorry my mistake", "i'm sorry i gave you the wrong number", "sorry i forgot {item}", "my apologies i was late",
            "sorry to bother you", "excuse me sorry",
        ),
        ("remorse",),
        0.48,
    ),  # fmt: skip
    _Template(
        (
            "i don't understand {thing}", "sorry what do you mean", "i'm confused about {thing}", "i'm not sure which one to take",
            "i have no idea how {thing} works", "wait what", "i don't get this form",
        ),
        ("confusion",),
        0.38,
    ),  # fmt: skip
    _Template(
        (
            "{please}tell me where {place} is", "what time do you close {when}", "how much is {item}", "do you have {item}",
            "where is {place}", "when does {thing} arrive", "is {place} open {when}", "which bus goes to {place}", "how long does it take",
            "what is the price of {item}", "can i ask about {thing}", "does that come with {item}",
        ),
        ("curiosity",),
        0.5,
    ),  # fmt: skip
    _Template(
        (
            "{please}book {item} for {when}", "i'd like {item}", "i need {item} for {when}", "can i have {item} please",
            "i would like to change {thing} to {when}", "i want {item} please",
        ),
        ("desire", "neutral"),
        0.5,
    ),  # fmt: skip
    _Template(
        (
            "my number is 0 7 7 4 3 2", "the name is on {thing}", "i am calling about {thing}", "it was {when}", "{item} and {item}",
            "my order number is 4 4 1 9", "i ordered {item} {when}", "i paid by card", "there are three of us", "we arrive {when}",
            "i'm at {place}", "{when}", "{item}", "the bill came to 32 dollars", "for two people", "by card", "it's for {when} at {place}",
            "i live near {place}", "the first one", "no that is all", "yes", "no", "hello", "good morning", "i will wait at {place}",
            "{please}send it to {place}", "the meeting is {when}", "he said {when}", "no thank you just {item}",
        ),
        ("neutral",),
        0.5,
    ),  # fmt: skip
    _Template(
        (
            "wow i did not expect that", "oh i had no idea {thing} was here", "really already", "oh that was {time}",
        ),
        ("surprise",),
        0.52,
    ),  # fmt: skip
    _Template(
        (
            "i hope {thing} comes {when}", "hopefully {thing} will work {when}", "i'm sure you will fix {thing}", "fingers crossed for {when}",
        ),
        ("optimism",),
        0.6,
    ),  # fmt: skip
    _Template(
        (
            "goodbye have a nice day", "take care", "have a good evening", "don't worry about it", "no worries take your time",
        ),
        ("caring",),
        0.7,
    ),  # fmt: skip
)  # fmt: skip

_SLOT: Final = re.compile(r"\{(\w+)\}")


def generate(count: int, *, seed: int) -> list[LabelledText]:
    """Make sentences, about half of them as a recogniser would write them: lower case, without punctuation.

    Args:
        count: How many; templates take turns, so each kind has about the same share.
        seed: Of the choices.

    Returns:
        ``count`` sentences, the same for the same arguments.
    """
    chooser = random.Random(seed)  # noqa: S311 - not cryptography
    made: list[LabelledText] = []
    for number in range(count):
        template = _TEMPLATES[number % len(_TEMPLATES)]
        words = chooser.choice(_SLOTS["so"]) + chooser.choice(template.patterns)
        text = _SLOT.sub(lambda match: chooser.choice(_SLOTS[match.group(1)]), words)
        text = " ".join(text.split())
        made.append(LabelledText(_written(text, chooser), template.emotions, template.satisfaction))
    return made


def _written(text: str, chooser: random.Random) -> str:
    """Half of the sentences get a capital and a stop."""
    if chooser.random() < 0.5:
        return text
    return text[0].upper() + text[1:] + chooser.choice(("", ".", ".", "!"))
