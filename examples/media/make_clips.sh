#!/bin/sh
# Makes the spoken clips of this folder again with flite's synthetic voices (Debian and Ubuntu: apt-get install flite).
# Needs Python with soundfile (mien[voice]) to turn flite's WAV into FLAC.
set -eu
cd "$(dirname "$0")"

say() { # voice, name, words
    flite -voice "$1" -t "$3" -o "$2.wav"
    python3 -c "import sys, soundfile; soundfile.write(sys.argv[2], *soundfile.read(sys.argv[1], dtype='int16'))" \
        "$2.wav" "$2.flac"
    rm "$2.wav"
}

say awb thanks "thank you so much. you have been very kind and helpful."
say slt complaint "this is terrible. i have been waiting for an hour and nobody helps me."
say rms refusal "no, i do not want to pay for this."
say slt opening_hours "the shop opens at nine in the morning."
