"""``mien report``: records in, one page for people out. Reading, counting, drawing and writing are separate."""
