"""Finding faces. Importing this package loads nothing; each module says what it is for."""
