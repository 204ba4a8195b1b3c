"""The laboratory of the voice plugin: training the tone network and measuring it. A plugin of commands only."""
