"""Does what we count show harm, or safety? Anytime-valid statistics: pure, standard library only.

A process of evidence is one that, were the flag harmless, would grow to 20 or more with a chance
of at most 1 in 20, however often it is looked at (Ville 1939). Each file holds one such process, or
one thing that is said with them.
"""
