"""What is a flag, and what does it answer?"""
