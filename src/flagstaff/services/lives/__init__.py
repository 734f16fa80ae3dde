"""How long do flags live, and who is told when they should go?"""
