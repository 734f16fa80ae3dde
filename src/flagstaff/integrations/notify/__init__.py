"""How are people told?"""
