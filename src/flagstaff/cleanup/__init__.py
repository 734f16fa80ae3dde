"""Where is a flag used, and how is it removed?

Nothing is imported here: most of it loads LibCST, which takes a second, and some does without.
"""
