"""The laboratory of the face plugin: training, the zoo, evaluation, model cards. A plugin of commands only."""
