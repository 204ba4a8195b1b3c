"""A mien plugin that recognises speech with PocketSphinx. mien finds it by entry point."""
