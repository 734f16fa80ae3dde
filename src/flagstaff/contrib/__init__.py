"""How does your framework use the SDK?"""
