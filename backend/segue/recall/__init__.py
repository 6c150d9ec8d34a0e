"""Recall: the song's own material for a gap.

The way of the data: ``song`` gathers what may be heard and what may not; ``features`` is how it is listened to;
``donors`` finds the places that fit the gap's contexts, ``splice`` sounds the best two; ``mosaic`` chooses units of the
song that follow a given course of the spectrum, ``joining`` makes one signal of them; ``mirror`` is what is left when
there is nothing to recall. ``blocked`` holds the arithmetic of what must never be heard, ``fades`` that of cross-fades.
"""
