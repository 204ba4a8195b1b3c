"""Training the face detector. Importing this package loads nothing; each module says what it is for."""
