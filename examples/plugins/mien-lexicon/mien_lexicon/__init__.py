"""A mien plugin that reads satisfaction from English words with a sentiment lexicon. mien finds it by entry point."""
