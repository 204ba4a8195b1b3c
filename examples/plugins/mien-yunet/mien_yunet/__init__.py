"""A mien plugin that finds faces with YuNet. mien finds it by entry point."""
