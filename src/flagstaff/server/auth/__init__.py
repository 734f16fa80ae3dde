"""How do people sign in?"""
