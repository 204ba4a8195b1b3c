"""Networks of several sizes taught by larger ones, on one GPU in minutes: views, targets and steps as tensors there."""
