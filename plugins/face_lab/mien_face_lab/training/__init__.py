"""Training of the expression network; needs the extra ``mien[train]``."""
