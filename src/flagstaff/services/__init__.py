"""What may be done, by whom, and what is recorded?"""
