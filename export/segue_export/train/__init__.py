"""The embedded prior: music, corpus, training, evaluation, bundle."""
