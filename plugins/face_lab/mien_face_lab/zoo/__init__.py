"""Published networks for facial expressions, trainable beside the shipped one: descriptions, Flax modules, classifiers.

``catalogue`` describes the networks as plain data; ``network`` builds them in Flax; ``classifier`` saves, loads and
runs trained ones. How they are trained is in ``mien_face_lab.training``. Importing this package loads none of that.
"""
