"""Where do snapshots come from?"""
