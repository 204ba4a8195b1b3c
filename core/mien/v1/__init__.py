"""Generated from proto/mien/v1 by proto/generate.sh; do not edit."""
