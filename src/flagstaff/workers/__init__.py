"""How do background jobs follow flags?"""
