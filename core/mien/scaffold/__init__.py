"""``mien plugins new``: a package with a plugin that works, to begin from. The templates are data beside it."""
