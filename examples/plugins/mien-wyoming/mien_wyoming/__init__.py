"""A mien plugin that has a Wyoming server recognise speech. mien finds it by entry point."""
