"""The shared test vectors, which every implementation must pass: ``python -m segue_protocol.vectors protocol/vectors``.

Each is a binary file of one message, frame by frame, and a row in listing.tsv that says what must come of it.
"""
