"""How do queues of other kinds follow a rename?"""
