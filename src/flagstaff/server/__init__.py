"""How is everything put together and served?"""
