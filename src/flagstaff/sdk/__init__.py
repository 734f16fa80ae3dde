"""Is this flag on for this actor, in this process?"""
