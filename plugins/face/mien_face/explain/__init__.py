"""Why the expression network answers as it does: maps of what speaks for an emotion, and a picture that shows them.

``saliency`` computes the maps, ``faces`` finds and reads the faces of a photograph, ``picture`` draws. JAX, OpenCV and
Pillow are all that is needed, so that the base install can explain itself.
"""
