"""``mien plugins check``: a plugin alone in a process of its own, held to every rule, and graded by what it keeps.

The rules are the conformance suites of ``mien.testing`` and those of ``mien.quality.wholeplugin``. ``watch`` starts and
watches the process, ``child`` is what runs in it, ``report`` what comes out.
"""
